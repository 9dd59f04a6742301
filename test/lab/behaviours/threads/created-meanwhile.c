// Threads that begin and end all the time do so through moves: each runs once and gives its value.
#include "../../lab.h"

static atomic_int ran;
static void *leaf(void *n) {
  ++ran;
  return n;
}
static void *branch(void *depth) {
  const long d = (long)depth;
  if (d == 0) return leaf((void *)1);
  pthread_t two[2];
  long sum = 0;
  for (int i = 0; i < 2; ++i)
    while (pthread_create(&two[i], NULL, branch, (void *)(d - 1))) sleep_ms(1);
  for (int i = 0; i < 2; ++i) {
    void *value;
    pthread_join(two[i], &value);
    sum += (long)value;
  }
  return (void *)sum;
}

BEHAVIOUR {
  for (int i = 0; i < 8; ++i) {
    ran = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, branch, (void *)4);
    AT(sched_yield());
    void *value;
    pthread_join(thread, &value);
    SAY("%ld leaves, ran %d", (long)value, ran);
  }
}
