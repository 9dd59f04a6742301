// Atomic operations of several threads add up while they are moved.
#include "../../lab.h"

enum { many = 4 };
static atomic_long sum, tickets, serving;
static long plain;
static _Atomic(unsigned long) pairs;
static volatile int stop;
static void *run(void *which) {
  long own = 0;
  while (!stop) {
    atomic_fetch_add(&sum, 1);
    unsigned long old = pairs;
    while (!atomic_compare_exchange_weak(&pairs, &old, old + 0x100000001ul)) continue;
    if (own++ % 64 == 0) {                            // a ticket lock
      const long mine = tickets++;
      while (serving != mine) sched_yield();
      ++plain;
      ++serving;
    }
  }
  (void)which;
  return (void *)own;
}

BEHAVIOUR {
  pthread_t threads[many];
  for (long i = 0; i < many; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  for (int i = 0; i < 10; ++i) AT(sleep_ms(5));
  stop = 1;
  long all = 0;
  for (int i = 0; i < many; ++i) {
    void *own;
    pthread_join(threads[i], &own);
    all += (long)own;
  }
  HOLDS(all == sum && all > 0);
  HOLDS((pairs & 0xffffffff) == (unsigned long)(all & 0xffffffff));
  HOLDS(plain == tickets && plain == serving);
}
