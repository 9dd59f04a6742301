// A blocked SIGCHLD, SIGWINCH or SIGURG that has its default action stays pending until it is waited for or read.
#include "../../lab.h"
#include <sys/signalfd.h>

BEHAVIOUR {
  sigset_t set, now;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGWINCH);
  sigaddset(&set, SIGURG);
  sigaddset(&set, SIGCONT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  const pid_t child = FORK();
  if (child == 0) _exit(3);
  while (sigpending(&now) == 0 && !sigismember(&now, SIGCHLD)) sleep_ms(1);
  DO(kill(getpid(), SIGWINCH));
  DO(raise(SIGURG));
  DO(kill(getpid(), SIGCONT));
  DO(sigpending(&now));
  SAY("%d %d %d %d", sigismember(&now, SIGCHLD), sigismember(&now, SIGWINCH), sigismember(&now, SIGURG), sigismember(&now, SIGCONT));
  const int fd = DO(signalfd(-1, &set, SFD_NONBLOCK));
  struct signalfd_siginfo info[4];
  DO(read(fd, info, sizeof info));
  for (int i = 0; i < 4; ++i) SAY("%u", info[i].ssi_signo);
  SAY("child %d", ended(child));
}
