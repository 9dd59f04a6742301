// sem_timedwait, pthread_cond_timedwait, timed locks of mutexes and rwlocks and futex waits end when their time is over.
#include "../../lab.h"
#include <linux/futex.h>
#include <semaphore.h>

static struct timespec in(clockid_t clock, long ms) {
  struct timespec t;
  clock_gettime(clock, &t);
  t.tv_nsec += ms * 1000000;
  if (t.tv_nsec >= 1000000000) t.tv_nsec -= 1000000000, ++t.tv_sec;
  return t;
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static volatile int ready, stop;
static void *holder(void *none) {
  pthread_mutex_lock(&held);
  pthread_rwlock_wrlock(&lock);
  ready = 1;
  while (!stop) sleep_ms(2);
  return none;
}

BEHAVIOUR {
  pthread_t thread;
  pthread_create(&thread, NULL, holder, NULL);
  while (!ready) sleep_ms(1);
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_t by_day = PTHREAD_COND_INITIALIZER, by_up;
  pthread_cond_init(&by_up, &attributes);
  pthread_mutex_lock(&mutex);
  struct timespec until;
  int word = 0;
#define UNTIL(clock, call)            \
  LASTS(0.05, {                       \
    AT(until = in(clock, 120));       \
    call;                             \
  })
  UNTIL(CLOCK_REALTIME, DO(sem_timedwait(&semaphore, &until)));
  UNTIL(CLOCK_MONOTONIC, DO(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until)));
  UNTIL(CLOCK_REALTIME, GIVES(pthread_cond_timedwait(&by_day, &mutex, &until)));
  UNTIL(CLOCK_MONOTONIC, GIVES(pthread_cond_timedwait(&by_up, &mutex, &until)));
  UNTIL(CLOCK_REALTIME, GIVES(pthread_mutex_timedlock(&held, &until)));
  UNTIL(CLOCK_MONOTONIC, GIVES(pthread_mutex_clocklock(&held, CLOCK_MONOTONIC, &until)));
  UNTIL(CLOCK_REALTIME, GIVES(pthread_rwlock_timedrdlock(&lock, &until)));
  UNTIL(CLOCK_REALTIME, GIVES(pthread_rwlock_timedwrlock(&lock, &until)));
  UNTIL(CLOCK_REALTIME, GIVES(pthread_timedjoin_np(thread, NULL, &until)));
  UNTIL(CLOCK_MONOTONIC, DO(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, ~0)));
  UNTIL(CLOCK_REALTIME, DO(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &until, NULL, ~0)));
  struct timespec time = {0, 150000000};
  LASTS(0.15, DO(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, NULL, 0)));
  stop = 1;
  GIVES(pthread_join(thread, NULL));
}
