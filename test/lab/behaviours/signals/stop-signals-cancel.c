// SIGCONT takes pending stop signals away and stop signals a pending SIGCONT, also where they are blocked, and a stop that is ignored does nothing.
#include "../../lab.h"

static void show(void) {
  sigset_t now;
  DO(sigpending(&now));
  SAY("pending CONT %d TSTP %d TTOU %d", sigismember(&now, SIGCONT), sigismember(&now, SIGTSTP), sigismember(&now, SIGTTOU));
}

BEHAVIOUR {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCONT);
  sigaddset(&set, SIGTSTP);
  sigaddset(&set, SIGTTOU);
  sigprocmask(SIG_BLOCK, &set, NULL);
  DO(kill(getpid(), SIGTSTP));
  DO(raise(SIGTTOU));
  show();
  DO(kill(getpid(), SIGCONT));
  show();
  DO(raise(SIGTSTP));
  show();
  signal(SIGTSTP, SIG_IGN);
  show();
  DO(raise(SIGTSTP));
  DO(sigprocmask(SIG_UNBLOCK, &set, NULL));
  show();
}
