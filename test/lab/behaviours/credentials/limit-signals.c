// RLIMIT_SIGPENDING bounds queued signals: sigqueue is EAGAIN beyond it, kill is not.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 2);
  sigaddset(&set, SIGUSR1);
  DO(sigprocmask(SIG_BLOCK, &set, NULL));
  DO(setresuid(61235, 61235, 61235));
  DO(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){3, 3}));
  for (int i = 0; i < 4; ++i) DO(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){i}));
  DO(kill(getpid(), SIGUSR1));
  siginfo_t info;
  struct timespec none = {0, 0};
  for (int i = 0; i < 5; ++i)
    if (DO(sigtimedwait(&set, &info, &none)) > SIGUSR1) SAY("%d", info.si_value.sival_int);
  DO(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){9}));
}
