// Each thread has its own thread-local variables, errno and keys; destructors run for values that are not null, again if they set new ones.
#include "../../lab.h"

static __thread int mine = 5;
static __thread char large[20000];
static pthread_key_t key, again;
static atomic_int destroyed, repeats;
static void destroy(void *value) { destroyed += (int)(long)value; }
static void destroy_again(void *value) { if (++repeats && (long)value > 1) pthread_setspecific(again, (void *)((long)value - 1)); }
static void *run(void *n) {
  const int start = mine;
  mine += (int)(long)n;
  large[19999] = (char)(long)n;
  errno = 100 + (int)(long)n;
  pthread_setspecific(key, n);
  pthread_setspecific(again, (void *)2);
  sleep_ms(60);
  long wrong = start != 5 || mine != 5 + (int)(long)n || large[19999] != (char)(long)n || pthread_getspecific(key) != n;
  return (void *)wrong;
}

BEHAVIOUR {
  GIVES(pthread_key_create(&key, destroy));
  GIVES(pthread_key_create(&again, destroy_again));
  pthread_setspecific(key, (void *)999);
  mine = 77;
  pthread_t threads[8];
  for (long i = 0; i < 8; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  for (int i = 0; i < 4; ++i) AT(sleep_ms(5));
  for (int i = 0; i < 8; ++i) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    SAY("wrong %ld", (long)wrong);
  }
  SAY("mine %d, destroyed %d, repeats %d, key %ld", mine, destroyed, repeats, (long)pthread_getspecific(key));
  GIVES(pthread_key_delete(key));
  GIVES(pthread_key_delete(key));
}
