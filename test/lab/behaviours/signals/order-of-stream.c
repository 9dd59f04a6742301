// A stream of real-time signals arrives complete and in order, however the receiver blocks and unblocks meanwhile.
#include "../../lab.h"

enum { total = 60 };
static volatile sig_atomic_t next, wrong;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  if (info->si_value.sival_int != next++) ++wrong;
}
static void send_all(void) {
  for (int i = 0; i < total; ++i) {
    while (sigqueue(getppid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) < 0) sleep_ms(1);
    sleep_ms(i % 3 == 0 ? 5 : 0);
  }
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGRTMIN + 1, &action, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  const pid_t child = child_later(5, send_all);
  for (int i = 0; i < 20; ++i) {
    AT(sigprocmask(SIG_BLOCK, &set, NULL));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    for (int turn = 0; turn < 100; ++turn) {
      sigprocmask(SIG_BLOCK, &set, NULL);
      sched_yield();
      sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
    sleep_ms(4);
  }
  SAY("child %d", ended(child));
  while (next < total) sleep_ms(1);
  HOLDS(next == total);
  HOLDS(wrong == 0);
}
