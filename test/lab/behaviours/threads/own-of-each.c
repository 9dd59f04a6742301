// Each thread has its mask, its pending signals and its alternate stack to itself; a new one has its creator's mask and no alternate stack.
#include "../../lab.h"

static pthread_barrier_t barrier;
static char stacks[3][32768] __attribute__((aligned(16)));
static __thread int on_own;
static void handler(int signal) {
  char here;
  (void)signal;
  for (int i = 0; i < 3; ++i) if (&here >= stacks[i] && &here < stacks[i] + sizeof stacks[i]) on_own = i + 1;
}
static void *run(void *which) {
  const long n = (long)which;
  sigset_t set, now;
  stack_t old;
  long wrong = 0;
  pthread_sigmask(SIG_BLOCK, NULL, &set);
  wrong += n && sigismember(&set, SIGHUP) != 1;
  sigaltstack(NULL, &old);
  wrong += (old.ss_flags != SS_DISABLE) * 10;
  stack_t mine = {.ss_sp = stacks[n], .ss_size = sizeof stacks[n]};
  sigaltstack(&mine, NULL);
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + (int)n);
  pthread_sigmask(SIG_SETMASK, &set, NULL);
  pthread_kill(pthread_self(), SIGRTMIN + (int)n);
  errno = (int)n;
  for (int r = 0; r < 6; ++r) {
    pthread_barrier_wait(&barrier);
    if (n == 0) AT(sched_yield());
    pthread_barrier_wait(&barrier);
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    sigaltstack(NULL, &old);
    for (int i = 0; i < 3; ++i) wrong += (sigismember(&now, SIGRTMIN + i) != (i == n)) * 100;
    sigpending(&now);
    for (int i = 0; i < 3; ++i) wrong += (sigismember(&now, SIGRTMIN + i) != (i == n)) * 1000;
    wrong += (old.ss_sp != stacks[n]) * 10000;
    on_own = 0;
    pthread_kill(pthread_self(), SIGUSR1);
    wrong += (on_own != n + 1) * 100000;
  }
  pthread_barrier_wait(&barrier);
  return (void *)wrong;
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  pthread_barrier_init(&barrier, NULL, 3);
  pthread_t threads[3];
  for (long i = 1; i < 3; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  SAY("wrong %ld", (long)run((void *)0));
  for (int i = 1; i < 3; ++i) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    SAY("wrong %ld", (long)wrong);
  }
}
