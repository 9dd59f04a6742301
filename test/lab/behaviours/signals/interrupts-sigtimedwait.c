// sigwaitinfo and sigtimedwait end with EINTR at a handler for another signal, SA_RESTART or not; sigwait goes on.
#include "../../interrupts.h"

static void nothing(void) {}
static void usr2(void) { kill(getpid(), SIGUSR2); }

BEHAVIOUR {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  siginfo_t info = {.si_signo = 77};
  struct timespec time = {10, 0};
  int signal = 0;
  INTERRUPTED(sigwaitinfo(&set, &info));
  RESTARTED(nothing, sigwaitinfo(&set, &info));
  RESTARTED(nothing, sigtimedwait(&set, &info, &time));
  SAY("signo %d", info.si_signo);
  RESTARTED(usr2, sigwait(&set, &signal));
  SAY("got USR2 %d", signal == SIGUSR2);
}
