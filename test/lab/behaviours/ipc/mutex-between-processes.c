// A mutex in shared memory keeps processes apart; one whose owner died gives EOWNERDEAD and can be made good.
// refused: shares memory with another process
// home: fork, clone, mmap
#include "../../lab.h"

BEHAVIOUR {
  struct { pthread_mutex_t mutex; volatile int n; } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
  GIVES(pthread_mutex_init(&shared->mutex, &attr));
  GIVES(pthread_mutex_lock(&shared->mutex));
  pid_t child = FORK();
  if (child == 0) {
    for (int i = 0; i < 200; ++i) {
      pthread_mutex_lock(&shared->mutex);
      const int n = shared->n;
      if (i % 50 == 0) sched_yield();
      shared->n = n + 1;
      pthread_mutex_unlock(&shared->mutex);
    }
    _exit(0);
  }
  AT(sleep_ms(30));
  SAY("%d", shared->n);
  GIVES(pthread_mutex_unlock(&shared->mutex));
  for (int i = 0; i < 200; ++i) {
    pthread_mutex_lock(&shared->mutex);
    shared->n = shared->n + 1;
    pthread_mutex_unlock(&shared->mutex);
  }
  SAY("%d", ended(child));
  AT(SAY("%d", shared->n));
  child = FORK();
  if (child == 0) {
    pthread_mutex_lock(&shared->mutex);
    _exit(0);
  }
  SAY("%d", ended(child));
  GIVES(pthread_mutex_lock(&shared->mutex));
  GIVES(pthread_mutex_consistent(&shared->mutex));
  GIVES(pthread_mutex_unlock(&shared->mutex));
  GIVES(pthread_mutex_trylock(&shared->mutex));
}
