// Threads hand each other lines through pipes, blocking at either end, while all of them are moved.
#include "../../lab.h"

static int pipes[4][2];
static void *stage(void *which) {
  const long n = (long)which;
  int value;
  while (read(pipes[n][0], &value, sizeof value) == sizeof value) {
    value = value * 3 + (int)n;
    if (write(pipes[n + 1][1], &value, sizeof value) != sizeof value) abort();
  }
  close(pipes[n + 1][1]);
  return NULL;
}
static long sum, count;
static void *collect(void *none) {
  int value;
  while (read(pipes[3][0], &value, sizeof value) == sizeof value) sum += value, ++count;
  return none;
}

BEHAVIOUR {
  for (int i = 0; i < 4; ++i) if (pipe(pipes[i])) abort();
  pthread_t threads[4];
  for (long i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, stage, (void *)i);
  pthread_create(&threads[3], NULL, collect, NULL);
  for (int i = 0; i < 300; ++i) {
    if (i % 30 == 0) AT(sleep_ms(2));
    if (write(pipes[0][1], &i, sizeof i) != sizeof i) abort();
  }
  DO(close(pipes[0][1]));
  for (int i = 0; i < 4; ++i) GIVES(pthread_join(threads[i], NULL));
  SAY("count %ld sum %ld", count, sum);
}
