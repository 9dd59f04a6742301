// SIGCHLD tells which child it was, and whether it exited, was killed, stopped or continued.
#include "../../lab.h"

static siginfo_t last;
static volatile sig_atomic_t count;
static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)context, last = *info, ++count; }

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  DO(sigaction(SIGCHLD, &action, NULL));
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  const int signals[] = {SIGSTOP, SIGCONT, SIGTERM};
  for (int i = 0; i < 3; ++i) {
    DO(kill(child, signals[i]));
    while (count < i + 1) sleep_ms(1);
    SAY("signo %d code %d status %d the child's %d", last.si_signo, last.si_code, last.si_status, last.si_pid == child);
  }
  int status;
  DO(waitpid(child, &status, WNOHANG) == child);
  SAY("%d", WTERMSIG(status));
  const pid_t other = FORK();
  if (other == 0) _exit(250);
  while (count < 4) sleep_ms(1);
  SAY("code %d status %d the child's %d", last.si_code, last.si_status, last.si_pid == other);
  SAY("%d", ended(other));
}
