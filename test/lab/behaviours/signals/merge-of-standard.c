// A standard signal that is pending already is not queued again, and keeps the sender's information of the first.
#include "../../lab.h"

static volatile sig_atomic_t count, value, code;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  ++count, value = info->si_value.sival_int, code = info->si_code;
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t set, waiting;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  DO(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 41}));
  DO(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42}));
  DO(kill(getpid(), SIGUSR1));
  DO(sigpending(&waiting));
  SAY("pending %d %d", sigismember(&waiting, SIGUSR1), sigismember(&waiting, SIGUSR2));
  DO(sigprocmask(SIG_UNBLOCK, &set, NULL));
  SAY("%d times, value %d, queued %d", count, value, code == SI_QUEUE);
  DO(sigpending(&waiting));
  SAY("pending %d", sigismember(&waiting, SIGUSR1));
}
