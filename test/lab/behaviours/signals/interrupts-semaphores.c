// sem_wait follows SA_RESTART and sem_timedwait does not; SysV semop never restarts.
#include "../../interrupts.h"
#include <semaphore.h>
#include <sys/sem.h>

static sem_t semaphore;
static int set;
static void post(void) { sem_post(&semaphore); }
static void raise_it(void) {
  struct sembuf up = {0, 1, 0};
  semop(set, &up, 1);
}

BEHAVIOUR {
  sem_init(&semaphore, 0, 0);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  INTERRUPTED(sem_wait(&semaphore));
  RESTARTED(post, sem_wait(&semaphore));
  RESTARTED(post, sem_timedwait(&semaphore, &until));
  set = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf down = {0, -1, 0};
  struct timespec time = {5, 0};
  INTERRUPTED(semop(set, &down, 1));
  RESTARTED(raise_it, semop(set, &down, 1));
  RESTARTED(raise_it, semtimedop(set, &down, 1, &time));
  DO(semctl(set, 0, GETVAL));
  DO(semctl(set, 0, IPC_RMID));
}
