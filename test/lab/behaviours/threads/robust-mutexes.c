// A robust mutex whose owner ends gives EOWNERDEAD to the next, who makes it consistent, or leaves it so that nobody gets it any more; with and without inheritance.
#include "../../lab.h"

static pthread_mutex_t mutex;
static atomic_int has_it;

static void *dies_with_it(void *rest) {
  if (pthread_mutex_lock(&mutex)) return "not locked";
  has_it = 1;
  sleep_ms((long)(intptr_t)rest);
  pthread_exit(NULL);
}

static void *waits_too(void *none) {
  const int result = pthread_mutex_lock(&mutex);
  if (result == EOWNERDEAD) pthread_mutex_consistent(&mutex);
  if (result == 0 || result == EOWNERDEAD) pthread_mutex_unlock(&mutex);
  (void)none;
  return (void *)(intptr_t)result;
}

static void all(int protocol) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutex_init(&mutex, &attributes);
  pthread_t thread, other;
  // It has ended before anyone asks; while one waits; while two wait.
  for (long rest = 0; rest < 3; ++rest) {
    has_it = 0;
    AT(pthread_create(&thread, NULL, dies_with_it, (void *)(rest * 40)));
    while (!has_it) sleep_ms(1);
    if (!rest) GIVES(pthread_join(thread, NULL));
    GIVES(pthread_mutex_lock(&mutex));
    GIVES(pthread_mutex_consistent(&mutex));
    if (rest == 2) AT(pthread_create(&other, NULL, waits_too, NULL));
    GIVES(pthread_mutex_unlock(&mutex));
    if (rest) GIVES(pthread_join(thread, NULL));
    void *result;
    if (rest == 2) {
      GIVES(pthread_join(other, &result));
      SAY("the other got %s", result ? lab_error((int)(intptr_t)result) : "it");
    }
    GIVES(pthread_mutex_trylock(&mutex));
    GIVES(pthread_mutex_unlock(&mutex));
  }
  // Two wait while it dies: one is told, the other gets it after that.
  has_it = 0;
  AT(pthread_create(&thread, NULL, dies_with_it, (void *)60));
  while (!has_it) sleep_ms(1);
  pthread_t two[2];
  void *results[2];
  for (int i = 0; i < 2; ++i) pthread_create(&two[i], NULL, waits_too, NULL);
  GIVES(pthread_join(thread, NULL));
  for (int i = 0; i < 2; ++i) GIVES(pthread_join(two[i], &results[i]));
  SAY("told once: %d", (results[0] == (void *)EOWNERDEAD) + (results[1] == (void *)EOWNERDEAD));
  // Unlocked without being made consistent, nobody gets it any more.
  has_it = 0;
  AT(pthread_create(&thread, NULL, dies_with_it, (void *)20));
  while (!has_it) sleep_ms(1);
  GIVES(pthread_mutex_lock(&mutex));
  GIVES(pthread_join(thread, NULL));
  AT(pthread_create(&other, NULL, waits_too, NULL));
  sleep_ms(20);
  GIVES(pthread_mutex_unlock(&mutex));
  void *result;
  GIVES(pthread_join(other, &result));
  SAY("the other got %s", lab_error((int)(intptr_t)result));
  GIVES(pthread_mutex_lock(&mutex));
  GIVES(pthread_mutex_destroy(&mutex));
}

BEHAVIOUR {
  all(PTHREAD_PRIO_NONE);
  all(PTHREAD_PRIO_INHERIT);
}
