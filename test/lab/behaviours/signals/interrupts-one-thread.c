// A signal for one of several blocked threads interrupts that one alone.
#include "../../lab.h"

static int ends[2];
static volatile pid_t tids[3];
static volatile int results[3];
static void handler(int signal) { (void)signal; }
static void *run(void *which) {
  const long n = (long)which;
  char c;
  tids[n] = gettid();
  const ssize_t got = read(ends[0], &c, 1);
  results[n] = got == 1 ? 1 : errno == EINTR ? 2 : 3;
  return NULL;
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  DO(pipe(ends));
  pthread_t threads[3];
  for (long i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  while (!tids[0] || !tids[1] || !tids[2]) sleep_ms(1);
  sleep_ms(20);
  DO(syscall(SYS_tgkill, getpid(), tids[1], SIGUSR1));
  GIVES(pthread_join(threads[1], NULL));
  SAY("%d %d %d", results[0], results[1], results[2]);
  DO(write(ends[1], "x", 1));
  sleep_ms(30);
  DO(write(ends[1], "y", 1));
  for (int i = 0; i < 3; i += 2) GIVES(pthread_join(threads[i], NULL));
  SAY("%d %d %d", results[0], results[1], results[2]);
}
