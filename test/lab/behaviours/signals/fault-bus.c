// An access behind the end of a mapped file raises SIGBUS with its address.
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t last;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  last = *info;
  siglongjmp(back, signal);
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &action, NULL);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "text", 4));
  volatile char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  for (int page = 0; page < 3; ++page)
    for (int write = 0; write < 2; ++write) {
      volatile char *at = map + page * 4096 + 4 + page;
      lab_point("access");
      const int signal = sigsetjmp(back, 1);
      if (signal) SAY("page %d: signal %d code %d address right %d", page, signal, last.si_code, last.si_addr == at);
      else if (write) *at = 7, SAY("page %d: written", page);
      else SAY("page %d: read %d", page, *at);
    }
}
