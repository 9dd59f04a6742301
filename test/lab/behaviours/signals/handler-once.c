// SA_RESETHAND: a handler is gone as soon as it runs, for signals that were sent and for faults, also for those who ask elsewhere.
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile sig_atomic_t count;
static void handler(int signal) {
  struct sigaction now;
  sigaction(signal, NULL, &now);
  ++count;
  SAY("in the handler: default %d", now.sa_handler == SIG_DFL);
  if (signal == SIGSEGV) siglongjmp(back, 1);
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESETHAND}, now;
  const int all[] = {SIGUSR1, SIGWINCH, SIGSEGV};
  for (volatile int i = 0; i < 3; ++i) {
    DO(sigaction(all[i], &action, NULL));
    if (i < 2) DO(kill(getpid(), all[i]));
    else {
      lab_point("fault");
      if (sigsetjmp(back, 1) == 0) *(volatile int *)16 = 1;
    }
    DO(sigaction(all[i], NULL, &now));
    SAY("count %d, default %d, flags %x", count, now.sa_handler == SIG_DFL, now.sa_flags & ~0x04000000);
    if (all[i] == SIGWINCH) DO(raise(SIGWINCH));
  }
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("child");
    raise(SIGSEGV);
    _exit(1);
  }
  SAY("child %d", ended(child));
}
