// Threads give their value to who joins them; what cannot be joined says so; detached ones end by themselves.
#include "../../lab.h"

static atomic_int gone;
static volatile int go;
static void *give(void *value) {
  while (!go) sleep_ms(1);
  return value;
}
static void *leave(void *value) { pthread_exit((char *)value + 1); }
static void *detached(void *none) {
  sleep_ms(30);
  ++gone;
  return none;
}

BEHAVIOUR {
  pthread_t one, two, three;
  void *value = NULL;
  GIVES(pthread_create(&one, NULL, give, (void *)0x1234567890));
  GIVES(pthread_create(&two, NULL, leave, (void *)7));
  GIVES(pthread_tryjoin_np(one, &value));
  go = 1;
  GIVES(pthread_join(one, &value));
  SAY("%p", value);
  GIVES(pthread_join(two, &value));
  SAY("%p", value);
  GIVES(pthread_join(pthread_self(), NULL));
  GIVES(pthread_create(&three, NULL, detached, NULL));
  GIVES(pthread_detach(three));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  GIVES(pthread_create(&three, &attributes, detached, NULL));
  while (gone < 2) sleep_ms(1);
}
