// Many may hold a lock for reading, one for writing.
#include "../../lab.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int readers, writers, wrong, most;
static volatile int stop;
static void *reads(void *none) {
  while (!stop) {
    pthread_rwlock_rdlock(&lock);
    const int n = ++readers;
    if (n > most) most = n;
    if (writers) ++wrong;
    sleep_ms(1);
    --readers;
    pthread_rwlock_unlock(&lock);
  }
  return none;
}
static void *writes(void *none) {
  while (!stop) {
    pthread_rwlock_wrlock(&lock);
    if (++writers != 1 || readers) ++wrong;
    sleep_ms(1);
    --writers;
    pthread_rwlock_unlock(&lock);
    sleep_ms(3);
  }
  return none;
}

BEHAVIOUR {
  GIVES(pthread_rwlock_rdlock(&lock));
  GIVES(pthread_rwlock_tryrdlock(&lock));
  GIVES(pthread_rwlock_trywrlock(&lock));
  GIVES(pthread_rwlock_unlock(&lock));
  GIVES(pthread_rwlock_unlock(&lock));
  GIVES(pthread_rwlock_wrlock(&lock));
  GIVES(pthread_rwlock_wrlock(&lock));
  GIVES(pthread_rwlock_unlock(&lock));
  pthread_t threads[6];
  for (int i = 0; i < 6; ++i) pthread_create(&threads[i], NULL, i < 4 ? reads : writes, NULL);
  for (int i = 0; i < 8; ++i) AT(sleep_ms(10));
  while (most < 2) sleep_ms(1);
  stop = 1;
  for (int i = 0; i < 6; ++i) pthread_join(threads[i], NULL);
  HOLDS(wrong == 0);
}
