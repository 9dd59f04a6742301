// The values of a set are set and read, one and all, with the errors for what is out of range.
#include "../../lab.h"
#include <sys/sem.h>


union argument { int val; struct semid_ds *buf; unsigned short *array; };
static int id;
static void *volatile bad = (void *)8;
static int op(int number, int change, int flags) {
  struct sembuf one = {(unsigned short)number, (short)change, (short)flags};
  return semop(id, &one, 1);
}

BEHAVIOUR {
  unsigned short all[6] = {1, 2, 3, 4, 5, 99};
  struct semid_ds status;
  id = TRY(semget(IPC_PRIVATE, 5, 0640));
  DO(semctl(id, 0, SETALL, (union argument){.array = all}));
  DO(semctl(id, 2, SETVAL, (union argument){.val = 40}));
  memset(all, 0xee, sizeof all);
  DO(semctl(id, 0, GETALL, (union argument){.array = all}));
  SAY("%d %d %d %d %d %x", all[0], all[1], all[2], all[3], all[4], all[5]);
  DO(semctl(id, 2, GETVAL));
  DO(semctl(id, 2, SETVAL, (union argument){.val = 40000}));
  DO(semctl(id, 5, GETVAL));
  DO(semctl(id, 0, IPC_STAT, (union argument){.buf = &status}));
  SAY("%d %o", (int)status.sem_nsems, status.sem_perm.mode);
  DO(semctl(id, 0, IPC_STAT, (union argument){.buf = (void *)8}));
  DO(semctl(id, 0, GETALL, (union argument){.array = (void *)8}));
  DO(op(7, 1, 0));
  DO(op(0, 32767, 0));
  DO(op(1, -1, IPC_NOWAIT));
  HOLDS(semctl(id, 1, GETPID) == getpid());
  DO(semctl(id, 1, GETNCNT));
  DO(semctl(id, 1, 77));
  struct sembuf none;
  DO(semop(id, &none, 0));
  DO(semop(id, bad, 1));
  DO(semctl(id, 0, IPC_RMID));
  DO(semget(IPC_PRIVATE, -1, 0600));
  DO(semget(0x7ab01234, 1, 0600));
}
