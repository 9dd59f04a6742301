// Barriers let all go together and tell one of them; spin locks exclude; once is once.
#include "../../lab.h"

static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int round_of[5], serial[10], wrong, shared, onces;
static void init(void) { ++onces, sleep_ms(20); }
static void *run(void *which) {
  const long n = (long)which;
  pthread_once(&once, init);
  if (onces != 1) ++wrong;
  for (int r = 0; r < 10; ++r) {
    round_of[n] = r;
    for (int i = 0; i < 200; ++i) pthread_spin_lock(&spin), ++shared, pthread_spin_unlock(&spin);
    if (n == 0) AT(sched_yield());
    const int result = pthread_barrier_wait(&barrier);
    if (result == PTHREAD_BARRIER_SERIAL_THREAD) ++serial[r];
    for (int k = 0; k < 5; ++k) if (round_of[k] < r) ++wrong;
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

BEHAVIOUR {
  GIVES(pthread_barrier_init(&barrier, NULL, 0));
  GIVES(pthread_barrier_init(&barrier, NULL, 5));
  GIVES(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
  pthread_t threads[5];
  for (long i = 1; i < 5; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  run((void *)0);
  for (int i = 1; i < 5; ++i) pthread_join(threads[i], NULL);
  int serials = 0;
  for (int r = 0; r < 10; ++r) serials += serial[r] == 1;
  SAY("wrong %d, serial %d, shared %d", wrong, serials, shared);
  GIVES(pthread_spin_lock(&spin));
  GIVES(pthread_spin_trylock(&spin));
}
