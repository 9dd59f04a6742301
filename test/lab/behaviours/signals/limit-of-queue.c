// RLIMIT_SIGPENDING limits what is queued: sigqueue gives EAGAIN then, standard signals still come, and everything queued is there.
#include "../../lab.h"
#include <sys/resource.h>

static volatile sig_atomic_t count, sum, usr1;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (signal == SIGUSR1) ++usr1;
  else ++count, sum += info->si_value.sival_int;
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGRTMIN + 7, &action, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 7);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct rlimit old, limit;
  getrlimit(RLIMIT_SIGPENDING, &old);
  for (int i = 0; i < 5; ++i) DO(sigqueue(getpid(), SIGRTMIN + 7, (union sigval){.sival_int = i}));
  limit = old;
  limit.rlim_cur = 0;
  DO(setrlimit(RLIMIT_SIGPENDING, &limit));
  DO(sigqueue(getpid(), SIGRTMIN + 7, (union sigval){.sival_int = 100}));
  DO(kill(getpid(), SIGUSR1));
  AT(sched_yield());
  DO(sigprocmask(SIG_UNBLOCK, &set, NULL));
  SAY("%d queued, sum %d, USR1 %d", count, sum, usr1);
  DO(raise(SIGUSR1));
  SAY("USR1 %d", usr1);
  DO(setrlimit(RLIMIT_SIGPENDING, &old));
  DO(sigqueue(getpid(), SIGRTMIN + 7, (union sigval){.sival_int = 100}));
  SAY("%d queued, sum %d", count, sum);
}
