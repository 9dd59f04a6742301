// The C library's clock functions, given a bad pointer, raise a SIGSEGV that the program can handle, or fail with EFAULT.
#include "../../lab.h"
#include <setjmp.h>
#include <sys/time.h>

static sigjmp_buf back;
static void handler(int signal) { siglongjmp(back, signal); }
#define BAD(call)                                                            \
  do {                                                                       \
    lab_point(#call);                                                        \
    const int signal = sigsetjmp(back, 1);                                   \
    if (signal) SAY("%s: signal %d", #call, signal);                         \
    else SAY("%s: %s", #call, (call) == -1 ? lab_error(errno) : "done");     \
  } while (0)

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGSEGV, &action, NULL);
  struct timespec *volatile bad = (void *)8;
  BAD(clock_gettime(CLOCK_MONOTONIC, bad));
  BAD(clock_gettime(CLOCK_REALTIME, bad));
  BAD(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, bad));
  BAD(clock_gettime(CLOCK_MONOTONIC, (struct timespec *)0x8000000000000000));
  BAD(gettimeofday((struct timeval *)bad, NULL));
  BAD(time((time_t *)bad));
  BAD(clock_gettime(77, (struct timespec *)bad));
}
