// An unnamed semaphore counts for the threads of a process, waits, and waits no longer than told.
#include "../../lab.h"
#include <semaphore.h>

static sem_t s;
static void post(void) { sem_post(&s); }
static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  int value = -1;
  DO(sem_init(&s, 0, 1));
  DO(sem_wait(&s));
  DO(sem_trywait(&s));
  pthread_t other = later(60, post);
  DO(sem_wait(&s));
  pthread_join(other, NULL);
  struct timespec until;
  AT(clock_gettime(CLOCK_REALTIME, &until));
  until.tv_nsec += 60000000;
  if (until.tv_nsec > 999999999) until.tv_nsec -= 1000000000, ++until.tv_sec;
  DO(sem_timedwait(&s, &until));
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  other = later(60, send_it);
  DO(sem_wait(&s));
  SAY("caught %d", caught == SIGUSR1);
  pthread_join(other, NULL);
  DO(sem_post(&s));
  DO(sem_getvalue(&s, &value));
  SAY("%d", value);
  DO(sem_init(&s, 0, 0x80000000u));
}
