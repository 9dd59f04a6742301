// Real-time signals that were queued while blocked come in order of their numbers, and each number's in the order in which they were sent.
#include "../../lab.h"

static int seen[32], count;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  seen[count++] = (signal - SIGRTMIN) * 100 + info->si_value.sival_int;
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigfillset(&action.sa_mask);
  sigset_t set;
  sigemptyset(&set);
  for (int i = 3; i >= 0; --i) sigaction(SIGRTMIN + i, &action, NULL), sigaddset(&set, SIGRTMIN + i);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 12; ++i) {
    const union sigval value = {.sival_int = i};
    if (i % 3 == 0) DO(sigqueue(getpid(), SIGRTMIN + 3 - i % 4, value));
    else sigqueue(getpid(), SIGRTMIN + 3 - i % 4, value);
  }
  DO(sigprocmask(SIG_UNBLOCK, &set, NULL));
  for (int i = 0; i < count; ++i) SAY("%d", seen[i]);
}
