// Recursive mutexes count, error-checking ones refuse, others wait.
#include "../../lab.h"

static pthread_mutex_t mutex[3];
static void *try_all(void *none) {
  for (int i = 0; i < 3; ++i) SAY("%d: try %s unlock %s", i, lab_error(pthread_mutex_trylock(&mutex[i])), i == 1 ? "-" : lab_error(i ? pthread_mutex_unlock(&mutex[i]) : EPERM));
  return none;
}
static volatile int order;
static void *take(void *none) {
  pthread_mutex_lock(&mutex[1]);
  order = order * 10 + 2;
  pthread_mutex_unlock(&mutex[1]);
  return none;
}

BEHAVIOUR {
  const int kinds[] = {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK};
  for (int i = 0; i < 3; ++i) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kinds[i]);
    pthread_mutex_init(&mutex[i], &attributes);
    GIVES(pthread_mutex_lock(&mutex[i]));
  }
  GIVES(pthread_mutex_lock(&mutex[0]));
  GIVES(pthread_mutex_lock(&mutex[2]));
  GIVES(pthread_mutex_trylock(&mutex[1]));
  pthread_t thread;
  pthread_create(&thread, NULL, try_all, NULL);
  GIVES(pthread_join(thread, NULL));
  GIVES(pthread_mutex_unlock(&mutex[0]));
  GIVES(pthread_mutex_unlock(&mutex[0]));
  GIVES(pthread_mutex_unlock(&mutex[0]));
  GIVES(pthread_mutex_unlock(&mutex[2]));
  GIVES(pthread_mutex_unlock(&mutex[2]));
  pthread_create(&thread, NULL, take, NULL);
  AT(sleep_ms(40));
  order = 1;
  GIVES(pthread_mutex_unlock(&mutex[1]));
  GIVES(pthread_join(thread, NULL));
  SAY("order %d", order);
}
