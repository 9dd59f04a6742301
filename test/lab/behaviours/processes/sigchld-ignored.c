// With SIGCHLD ignored, or SA_NOCLDWAIT, children leave no zombies; a wait lasts until the last is gone and says ECHILD.
#include "../../lab.h"

static volatile sig_atomic_t caught;
static void handler(int signal) { (void)signal; ++caught; }

static void two_children(void) {
  for (int i = 0; i < 2; ++i) {
    const pid_t child = FORK();
    if (child == 0) {
      sleep_ms(40 + 40 * i);
      _exit(i);
    }
  }
}

BEHAVIOUR {
  signal(SIGCHLD, SIG_IGN);
  two_children();
  LASTS(0.02, DO(waitpid(-1, NULL, 0)));
  sigaction(SIGCHLD, &(struct sigaction){.sa_handler = handler, .sa_flags = SA_NOCLDWAIT | SA_RESTART}, NULL);
  two_children();
  DO(waitpid(-1, NULL, 0));
  HOLDS(caught > 0);
  caught = 0;
  sigaction(SIGCHLD, &(struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART}, NULL);
  two_children();
  TRY(waitpid(-1, NULL, 0));
  TRY(waitpid(-1, NULL, 0));
  TRY(waitpid(-1, NULL, 0));
  HOLDS(caught > 0);
}
