// SIGCHLD tells of stopped children with what happened, unless SA_NOCLDSTOP is set.
#include "../../lab.h"

static volatile sig_atomic_t code, status, count;
static volatile pid_t from;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  code = info->si_code;
  status = info->si_status;
  from = info->si_pid;
  ++count;
}

BEHAVIOUR {
  sigaction(SIGCHLD, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART}, NULL);
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  DO(kill(child, SIGSTOP));
  TRY(waitpid(child, NULL, WUNTRACED));
  HOLDS(from == child);
  SAY("code %d status %d count %d", code, status, count);
  DO(kill(child, SIGCONT));
  TRY(waitpid(child, NULL, WCONTINUED));
  while (count < 2) sleep_ms(1);                      // the child tells it once it runs
  SAY("code %d status %d count %d", code, status, count);
  sigaction(SIGCHLD, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP}, NULL);
  DO(kill(child, SIGSTOP));
  TRY(waitpid(child, NULL, WUNTRACED));
  DO(kill(child, SIGKILL));
  TRY(waitpid(child, NULL, 0));
  SAY("code %d status %d count %d", code, status, count);
}
