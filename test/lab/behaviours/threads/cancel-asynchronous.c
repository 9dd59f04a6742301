// A thread that allows it is cancelled in the middle of computing; one that forbids it goes on until it allows it.
#include "../../lab.h"

static volatile int ready, allowed;
static volatile unsigned long turns;
static void *compute(void *none) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  ready = 1;
  for (;;) ++turns;
  return none;
}
static void *refuse(void *none) {
  int old = -1;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  ready = 1;
  while (!allowed) sleep_ms(1);
  SAY("still here, old state %d", old == PTHREAD_CANCEL_ENABLE);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  pthread_testcancel();
  return SAY("NOT CANCELLED"), none;
}

BEHAVIOUR {
  for (int i = 0; i < 3; ++i) {
    pthread_t thread;
    void *value = NULL;
    ready = 0;
    pthread_create(&thread, NULL, compute, NULL);
    while (!ready || !turns) sleep_ms(1);
    GIVES(pthread_cancel(thread));
    GIVES(pthread_join(thread, &value));
    SAY("cancelled %d", value == PTHREAD_CANCELED);
    ready = allowed = 0;
    pthread_create(&thread, NULL, refuse, NULL);
    while (!ready) sleep_ms(1);
    GIVES(pthread_cancel(thread));
    sleep_ms(10);
    allowed = 1;
    GIVES(pthread_join(thread, &value));
    SAY("cancelled %d", value == PTHREAD_CANCELED);
  }
}
