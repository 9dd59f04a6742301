// A thread is cancelled in each blocking call it is in, its cleanup handlers run last first, and join tells that it was cancelled.
#include "../../lab.h"
#include <poll.h>
#include <semaphore.h>

static int ends[2];
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile int ready;
static char seen[64];
static void put(void *what) { strcat(seen, what); }
static void unlock(void *none) { (void)none, strcat(seen, pthread_mutex_unlock(&mutex) ? "?" : "u"); }
static void *run(void *which) {
  char c;
  pthread_cleanup_push(put, "1");
  pthread_cleanup_push(put, "2");
  ready = 1;
  switch ((long)which) {
    case 0: if (read(ends[0], &c, 1)) abort(); break;
    case 1: sleep_ms(20000); break;
    case 2: sem_wait(&semaphore); break;
    case 3: pause(); break;
    case 4: poll(NULL, 0, -1); break;
    case 5:
      pthread_mutex_lock(&mutex);
      pthread_cleanup_push(unlock, NULL);
      for (;;) pthread_cond_wait(&condition, &mutex);
      pthread_cleanup_pop(1);
      break;
    default: for (;;) pthread_testcancel(), sched_yield();
  }
  pthread_cleanup_pop(1);
  pthread_cleanup_pop(1);
  return NULL;
}

BEHAVIOUR {
  if (pipe(ends)) abort();
  sem_init(&semaphore, 0, 0);
  for (long i = 0; i < 7; ++i) {
    pthread_t thread;
    void *value = NULL;
    ready = 0, seen[0] = 0;
    pthread_create(&thread, NULL, run, (void *)i);
    while (!ready) sleep_ms(1);
    sleep_ms(20);
    GIVES(pthread_cancel(thread));
    GIVES(pthread_join(thread, &value));
    SAY("%ld: cancelled %d, cleanup %s", i, value == PTHREAD_CANCELED, seen);
  }
}
