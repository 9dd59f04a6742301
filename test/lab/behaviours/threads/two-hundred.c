// Two hundred threads move together, none is lost, and all end.
#include "../../lab.h"

enum { many = 200 };
static atomic_int alive, stop;
static atomic_long turns;
static int tids[many];
static void *run(void *which) {
  const long n = (long)which;
  tids[n] = gettid();
  ++alive;
  long own = 0;
  while (!stop) ++own, sleep_ms(10 + n % 7);
  turns += own;
  return (void *)(own && tids[n] == gettid() ? n : -1);
}

BEHAVIOUR {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  static pthread_t threads[many];
  for (long i = 0; i < many; ++i)
    if (pthread_create(&threads[i], &attributes, run, (void *)i)) abort();
  while (alive < many) sleep_ms(1);
  for (int i = 0; i < 5; ++i) AT(sleep_ms(20));
  sleep_ms(30);
  stop = 1;
  int wrong = 0;
  for (long i = 0; i < many; ++i) {
    void *value;
    wrong += pthread_join(threads[i], &value) || (long)value != i;
  }
  SAY("wrong %d", wrong);
  HOLDS(turns >= many);
}
