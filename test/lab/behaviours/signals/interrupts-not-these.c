// pthread_join, pthread_mutex_lock, pthread_cond_wait and pthread_barrier_wait know no EINTR.
#include "../../interrupts.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static volatile int ready;
static void unlock(void) { pthread_mutex_unlock(&mutex); }
static void wake(void) {
  pthread_mutex_lock(&mutex);
  ready = 1;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
}
static void meet(void) { pthread_barrier_wait(&barrier); }
static int wait_ready(void) {
  pthread_mutex_lock(&mutex);
  int error = 0;
  while (!ready && !error) error = pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  return error;
}
static void *sleeper(void *ms) { return sleep_ms((long)ms), ms; }

#define BOTH(finish, call)            \
  do {                                \
    caught = 0, lab_finish = finish;  \
    pthread_t other = later(50, send_and_finish); \
    GIVES(call);                      \
    pthread_join(other, NULL);        \
    SAY("caught %d", caught);         \
  } while (0)

BEHAVIOUR {
  handle(SIGUSR1, 0);
  pthread_mutex_lock(&mutex);
  BOTH(unlock, pthread_mutex_lock(&mutex));
  pthread_mutex_unlock(&mutex);
  BOTH(wake, wait_ready());
  pthread_barrier_init(&barrier, NULL, 2);
  BOTH(meet, pthread_barrier_wait(&barrier) > 0);
  sigset_t set, old;
  sigfillset(&set);
  pthread_sigmask(SIG_SETMASK, &set, &old);
  pthread_t thread;
  pthread_create(&thread, NULL, sleeper, (void *)300);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  caught = 0;
  pthread_t other = later(50, send_signal);
  GIVES(pthread_join(thread, NULL));
  pthread_join(other, NULL);
  SAY("caught %d", caught);
}
