// A signal for the process goes to a thread that does not block it; one for a thread waits for that thread, and others cannot take it.
#include "../../lab.h"

static volatile pid_t handled_by;
static volatile pid_t tids[3];
static volatile int stop;
static void handler(int signal) { (void)signal, handled_by = gettid(); }
static void *run(void *which) {
  const long n = (long)which;
  sigset_t set;
  sigemptyset(&set);
  if (n != 1) sigaddset(&set, SIGUSR1);
  if (n != 2) sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &set, NULL);
  tids[n] = gettid();
  while (!stop) sleep_ms(2);
  return NULL;
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  sigset_t set, now;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  pthread_t threads[3];
  for (long i = 1; i < 3; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  while (!tids[1] || !tids[2]) sleep_ms(1);
  for (int i = 0; i < 4; ++i) {
    handled_by = 0;
    DO(kill(getpid(), i % 2 ? SIGUSR1 : SIGUSR2));
    while (!handled_by) sleep_ms(1);
    SAY("thread %d", handled_by == tids[1] ? 1 : handled_by == tids[2] ? 2 : 0);
  }
  handled_by = 0;
  DO(pthread_kill(threads[2], SIGUSR1));
  DO(raise(SIGUSR2));
  sleep_ms(30);
  SAY("handled %d", handled_by);
  DO(sigpending(&now));
  SAY("pending here %d %d", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2));
  struct timespec zero = {0, 0};
  sigdelset(&set, SIGUSR2);
  DO(sigtimedwait(&set, NULL, &zero));
  sigemptyset(&set);
  DO(sigprocmask(SIG_SETMASK, &set, NULL));
  SAY("handled here %d", handled_by == gettid());
  stop = 1;
  for (int i = 1; i < 3; ++i) GIVES(pthread_join(threads[i], NULL));
}
