// A handler ends a wait with EINTR, or lets it go on with SA_RESTART; the child can be waited for afterwards.
#include "../../lab.h"

static volatile sig_atomic_t caught;
static void handler(int signal) { (void)signal; ++caught; }
static pid_t child;
static void tell(void) { kill(getpid(), SIGUSR1); }
static void tell_and_end(void) {
  kill(getpid(), SIGUSR1);
  sleep_ms(60);
  kill(child, SIGTERM);
}

BEHAVIOUR {
  child = fork();
  if (child == 0) for (;;) pause();
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, NULL);
  pthread_t other = later(60, tell);
  DO(waitpid(child, NULL, 0));
  pthread_join(other, NULL);
  siginfo_t info;
  other = later(60, tell);
  DO(waitid(P_ALL, 0, &info, WEXITED));
  pthread_join(other, NULL);
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART}, NULL);
  other = later(60, tell_and_end);
  int status = 0;
  TRY(waitpid(child, &status, 0));
  pthread_join(other, NULL);
  SAY("caught %d, signal %d", caught, WTERMSIG(status));
}
