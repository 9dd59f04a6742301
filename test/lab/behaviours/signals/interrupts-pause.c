// pause and sigsuspend end after any handler and after no ignored signal.
#include "../../interrupts.h"

static void nothing(void) {}
static void ignored_first(void) {
  kill(getpid(), SIGUSR2);
  kill(getpid(), SIGWINCH);
  sleep_ms(40);
  send_signal();
}

BEHAVIOUR {
  sigset_t none;
  sigemptyset(&none);
  signal(SIGUSR2, SIG_IGN);
  INTERRUPTED(pause());
  RESTARTED(nothing, pause());
  RESTARTED(nothing, sigsuspend(&none));
  handle(SIGUSR1, 0);
  caught = 0;
  pthread_t other = later(60, ignored_first);
  DO(pause());
  SAY("caught %d", caught);
  pthread_join(other, NULL);
}
