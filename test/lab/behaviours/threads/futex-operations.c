// Each futex operation says how many it woke or moved, and refuses what does not fit.
#include "../../lab.h"
#include <linux/futex.h>

static int words[4] __attribute__((aligned(16)));
static atomic_int waiting, woken[3];
static volatile int results[3];
static long futex(int *at, int op, int value, long time, int *at2, int value3) { return syscall(SYS_futex, at, op, value, time, at2, value3); }
static void *run(void *which) {
  const long n = (long)which;
  ++waiting;
  results[n] = (int)futex(&words[0], n < 2 ? FUTEX_WAIT_PRIVATE : FUTEX_WAIT_BITSET_PRIVATE, 0, 0, NULL, 4);
  ++woken[n];
  return NULL;
}

BEHAVIOUR {
  DO(futex(words, FUTEX_WAIT_PRIVATE, 1, 0, NULL, 0));
  DO(futex(words, FUTEX_WAKE_PRIVATE, 1, 0, NULL, 0));
  DO(futex((int *)((char *)words + 1), FUTEX_WAIT_PRIVATE, 0, 0, NULL, 0));
  DO(futex((int *)8, FUTEX_WAIT_PRIVATE, 0, 0, NULL, 0));
  DO(futex(words, FUTEX_WAIT_BITSET_PRIVATE, 0, 0, NULL, 0));
  DO(futex(words, 77, 0, 0, NULL, 0));
  struct timespec bad = {0, 1000000000};
  DO(futex(words, FUTEX_WAIT_PRIVATE, 0, (long)&bad, NULL, 0));
  DO(futex(words, FUTEX_WAIT_PRIVATE, 0, 8, NULL, 0));
  pthread_t threads[3];
  for (long i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  while (waiting < 3) sleep_ms(1);
  sleep_ms(40);
  DO(futex(words, FUTEX_CMP_REQUEUE_PRIVATE, 0, 1, &words[1], 5));
  // The first two wait for any bit, the third for another. Those that have just been moved may not wait yet.
  lab_point("wake");
  while (woken[0] + woken[1] < 2) futex(words, FUTEX_WAKE_BITSET_PRIVATE, 10, 0, NULL, 1), sleep_ms(1);
  SAY("woken %d %d %d", woken[0], woken[1], woken[2]);
  // It waits for the second word then, until a move has it wait for its own again, as a signal would.
  int total = 0;
  while (total == 0) {
    futex(words, FUTEX_REQUEUE_PRIVATE, 0, 10, &words[1], 0);
    total = (int)futex(&words[3], FUTEX_WAKE_OP_PRIVATE, 1, 10, &words[1], FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0));
    sleep_ms(1);
  }
  SAY("woke %d", total);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  SAY("results %d %d %d", results[0], results[1], results[2]);
  DO(futex(&words[2], FUTEX_WAKE_OP_PRIVATE, 1, 1, &words[3], FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 1)));
  SAY("%d", words[3]);
}
