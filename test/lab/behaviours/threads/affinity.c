// A thread's set of processors is its own, is what was set, and is where it runs.
#include "../../lab.h"
#include <sched.h>

static volatile int stop;
static volatile pid_t tid;
static void *run(void *none) {
  tid = gettid();
  while (!stop) sleep_ms(1);
  return none;
}

BEHAVIOUR {
  cpu_set_t all, one, now;
  sched_getaffinity(0, sizeof all, &all);
  int last = -1;
  for (int i = 0; i < CPU_SETSIZE; ++i) if (CPU_ISSET(i, &all)) last = i;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  while (!tid) sleep_ms(1);
  GIVES(pthread_setaffinity_np(thread, sizeof one, &one));
  for (int i = 0; i < 3; ++i) {
    DO(sched_getaffinity(tid, sizeof now, &now));
    HOLDS(CPU_EQUAL(&now, &one));
    DO(sched_getaffinity(0, sizeof now, &now));
    HOLDS(CPU_EQUAL(&now, &all));
  }
  DO(sched_setaffinity(0, sizeof one, &one));
  GIVES(pthread_getaffinity_np(pthread_self(), sizeof now, &now));
  HOLDS(CPU_EQUAL(&now, &one));
  CPU_ZERO(&now);
  DO(sched_setaffinity(0, sizeof now, &now));
  DO(sched_getaffinity(0, 4, &now));
  DO(sched_getaffinity(4000000, sizeof now, &now));
  DO(sched_setaffinity(0, sizeof all, &all));
  stop = 1;
  pthread_join(thread, NULL);
}
