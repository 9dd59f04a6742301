// A signal of a condition wakes one that waits, a broadcast all; items put are taken once each, in order.
#include "../../lab.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER, room = PTHREAD_COND_INITIALIZER, go = PTHREAD_COND_INITIALIZER;
static int items[8], first, count, started, woken;
static long sum, taken, wrong;
static void *take(void *none) {
  pthread_mutex_lock(&mutex);
  ++started;
  pthread_cond_wait(&go, &mutex);
  ++woken;
  int last = -1;
  for (;;) {
    while (!count) pthread_cond_wait(&more, &mutex);
    const int item = items[first % 8];
    if (item < 0) break;
    if (item <= last) ++wrong;
    last = item, ++first, --count, sum += item, ++taken;
    pthread_cond_signal(&room);
  }
  pthread_mutex_unlock(&mutex);
  return none;
}

BEHAVIOUR {
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, take, NULL);
  for (int n = 0; n < 4;) {
    sleep_ms(1);
    pthread_mutex_lock(&mutex);
    n = started;
    pthread_mutex_unlock(&mutex);
  }
  GIVES(pthread_cond_broadcast(&go));
  for (int i = 0; i < 400; ++i) {
    if (i % 40 == 0) AT(sched_yield());
    pthread_mutex_lock(&mutex);
    while (count == 8) pthread_cond_wait(&room, &mutex);
    items[(first + count++) % 8] = i;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&mutex);
  }
  pthread_mutex_lock(&mutex);
  while (count) pthread_cond_wait(&room, &mutex);
  items[first % 8] = -1, count = 1;
  GIVES(pthread_cond_broadcast(&more));
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 4; ++i) GIVES(pthread_join(threads[i], NULL));
  SAY("taken %ld, sum %ld, wrong %ld, woken %d", taken, sum, wrong, woken);
}
