// C11 threads, mutexes, conditions and keys work as they say.
#include "../../lab.h"
#include <threads.h>

static mtx_t mutex;
static cnd_t condition;
static tss_t key;
static once_flag once = ONCE_FLAG_INIT;
static int onces, turn;
static atomic_int destroyed;
static void init(void) { ++onces; }
static void destroy(void *value) { destroyed += (int)(long)value; }
static int run(void *which) {
  const int n = (int)(long)which;
  call_once(&once, init);
  tss_set(key, (void *)(long)(n + 1));
  for (int i = 0; i < 5; ++i) {
    mtx_lock(&mutex);
    while (turn % 3 != n) cnd_wait(&condition, &mutex);
    ++turn;
    cnd_broadcast(&condition);
    mtx_unlock(&mutex);
  }
  return n * 10 + (tss_get(key) == (void *)(long)(n + 1));
}

BEHAVIOUR {
  DO(mtx_init(&mutex, mtx_timed));
  cnd_init(&condition);
  tss_create(&key, destroy);
  thrd_t threads[3];
  for (long i = 0; i < 3; ++i) thrd_create(&threads[i], run, (void *)i);
  for (int i = 0; i < 3; ++i) {
    int result = -1;
    DO(thrd_join(threads[i], &result));
    SAY("%d", result);
  }
  SAY("turn %d, once %d, destroyed %d", turn, onces, destroyed);
  struct timespec until;
  mtx_lock(&mutex);
  AT(timespec_get(&until, TIME_UTC));
  DO(mtx_timedlock(&mutex, &until) == thrd_timedout);
  DO(cnd_timedwait(&condition, &mutex, &until) == thrd_timedout);
  const struct timespec time = {0, 50000000};
  LASTS(0.05, DO(thrd_sleep(&time, NULL)));
}
