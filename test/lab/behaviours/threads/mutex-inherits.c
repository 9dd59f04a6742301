// Mutexes with priority inheritance exclude each other's holders, also where signals come while they wait.
#include "../../lab.h"

static pthread_mutex_t mutex;
static volatile int inside, wrong, stop;
static volatile long turns;
static void handler(int signal) { (void)signal; }
static void *run(void *none) {
  while (!stop) {
    if (pthread_mutex_lock(&mutex)) ++wrong;
    if (++inside != 1) ++wrong;
    ++turns;
    if (turns % 50 == 0) sleep_ms(1);
    --inside;
    if (pthread_mutex_unlock(&mutex)) ++wrong;
  }
  return none;
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  GIVES(pthread_mutex_init(&mutex, &attributes));
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, run, NULL);
  for (int i = 0; i < 10; ++i) {
    AT(sleep_ms(3));
    for (int k = 0; k < 4; ++k) pthread_kill(threads[k], SIGUSR1);
    sleep_ms(5);
  }
  GIVES(pthread_mutex_lock(&mutex));
  for (int k = 0; k < 4; ++k) pthread_kill(threads[k], SIGUSR1);
  AT(sleep_ms(20));
  for (int k = 0; k < 4; ++k) pthread_kill(threads[k], SIGUSR1);
  stop = 1;
  GIVES(pthread_mutex_unlock(&mutex));
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  HOLDS(wrong == 0);
  HOLDS(turns > 4);
}
