// A signal sent to oneself, or let in, has been handled when the call returns, in every thread.
#include "../../lab.h"

static __thread volatile sig_atomic_t count;
static void handler(int signal) { (void)signal, ++count; }
static void *run(void *wrong) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  long *bad = wrong;
  for (int i = 0; i < 200; ++i) {
    count = 0;
    raise(SIGUSR1);
    *bad += count != 1;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_kill(pthread_self(), SIGUSR1);
    *bad += count != 1;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    *bad += count != 2;
    if (i % 20 == 0) sleep_ms(2);
  }
  return NULL;
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t threads[3];
  long wrong[3] = {0, 0, 0};
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, run, &wrong[i]);
  for (int i = 0; i < 6; ++i) DO(kill(getpid(), 0)), sleep_ms(5);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL), SAY("wrong %ld", wrong[i]);
}
