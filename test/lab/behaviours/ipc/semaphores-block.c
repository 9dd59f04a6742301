// semop waits until all its operations can be done at once, and does none before; SEM_UNDO takes back what a process did when it ends.
#include "../../lab.h"
#include <sys/sem.h>

static int id;
static void post(void) {
  struct sembuf up = {0, 2, 0};
  if (semop(id, &up, 1)) abort();
}

BEHAVIOUR {
  id = TRY(semget(IPC_PRIVATE, 2, 0600));
  struct sembuf both[2] = {{0, -2, 0}, {1, 1, 0}}, zero = {0, 0, IPC_NOWAIT}, down = {0, -1, IPC_NOWAIT};
  pthread_t other = later(60, post);
  AT(HOLDS(semop(id, both, 2) == 0));
  pthread_join(other, NULL);
  AT(SAY("%d %d", semctl(id, 0, GETVAL), semctl(id, 1, GETVAL)));
  AT(HOLDS(semop(id, &down, 1) == -1 && errno == EAGAIN));
  AT(HOLDS(semop(id, &zero, 1) == 0));
  const pid_t child = FORK();
  if (child == 0) {
    struct sembuf undone = {0, 5, SEM_UNDO}, kept = {1, 3, 0};
    AT(semop(id, &undone, 1));
    AT(semop(id, &kept, 1));
    SAY("child: %d %d", semctl(id, 0, GETVAL), semctl(id, 1, GETVAL));
    _exit(0);
  }
  SAY("%d", ended(child));
  AT(SAY("%d %d", semctl(id, 0, GETVAL), semctl(id, 1, GETVAL)));
  struct timespec time = {0, 60000000};
  down.sem_flg = 0;
  LASTS(0.06, AT(HOLDS(semtimedop(id, &down, 1, &time) == -1 && errno == EAGAIN)));
  AT(HOLDS(semctl(id, 0, IPC_RMID) == 0));
}
