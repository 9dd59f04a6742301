// futex_waitv waits for several words and tells which; the newer calls for single futexes do as the old one.
#include "../../lab.h"
#include <linux/futex.h>

static unsigned words[3];
static struct futex_waitv vector[3];
static volatile long result;
static atomic_int started;
static void *run(void *none) {
  ++started;
  result = syscall(449, vector, 3, 0, NULL, CLOCK_MONOTONIC);
  return none;
}

BEHAVIOUR {
  for (int i = 0; i < 3; ++i) vector[i] = (struct futex_waitv){.uaddr = (uintptr_t)&words[i], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
  for (int i = 0; i < 3; ++i) {
    pthread_t thread;
    started = 0;
    pthread_create(&thread, NULL, run, NULL);
    while (!started) sleep_ms(1);
    AT(sleep_ms(20));
    int woke = 0;
    while (!woke) woke = (int)syscall(SYS_futex, &words[i], FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0), sleep_ms(1);
    pthread_join(thread, NULL);
    SAY("woke %d, index %ld", woke, result);
  }
  struct timespec until, past = {0, 0};
  AT(clock_gettime(CLOCK_MONOTONIC, &until));
  until.tv_sec += 1;
  LASTS(0.3, DO(syscall(449, vector, 3, 0, &until, CLOCK_MONOTONIC)));
  DO(syscall(449, vector, 3, 0, &past, CLOCK_REALTIME));
  vector[1].val = 5;
  DO(syscall(449, vector, 3, 0, NULL, CLOCK_MONOTONIC));
  DO(syscall(449, vector, 0, 0, NULL, CLOCK_MONOTONIC));
  DO(syscall(449, vector, 3, 1, NULL, CLOCK_MONOTONIC));
  DO(syscall(449, NULL, 3, 0, NULL, CLOCK_MONOTONIC));
  DO(syscall(449, vector, 3, 0, &past, 77));
  DO(syscall(455, words, 1, ~0ul, FUTEX_32 | FUTEX_PRIVATE_FLAG, NULL, CLOCK_MONOTONIC));
  DO(syscall(455, words, 0, ~0ul, FUTEX_32 | FUTEX_PRIVATE_FLAG, &past, CLOCK_MONOTONIC));
  DO(syscall(454, words, ~0ul, 5, FUTEX_32 | FUTEX_PRIVATE_FLAG));
}
