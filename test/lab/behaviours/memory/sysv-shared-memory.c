// A SysV segment keeps its content from one attach to the next, tells how often it is attached, and goes with the last detach.
// refused: it maps shared memory
// home: shmat, shmdt
#include "../../lab.h"
#include <sys/shm.h>

BEHAVIOUR {
  struct shmid_ds status;
  const int id = TRY(shmget(IPC_PRIVATE, 8192, 0600 | IPC_CREAT));
  char *at = TRY(shmat(id, NULL, 0));
  strcpy(at + 4096, "segment");
  HOLDS(shmctl(id, IPC_STAT, &status) == 0);
  SAY("%d attached, %d bytes", (int)status.shm_nattch, (int)status.shm_segsz);
  DO(shmdt(at));
  DO(shmdt(at));
  AT(HOLDS(shmctl(id, IPC_STAT, &status) == 0));
  SAY("%d attached", (int)status.shm_nattch);
  at = TRY(shmat(id, NULL, SHM_RDONLY));
  SAY("%s", at + 4096);
  AT(HOLDS(shmctl(id, IPC_RMID, NULL) == 0));
  AT(SAY("%s", at + 4096));
  DO(shmdt(at));
  AT(HOLDS(shmctl(id, IPC_STAT, &status) == -1 && (errno == EINVAL || errno == EIDRM)));
  TRY(shmat(id, NULL, 0));
  TRY(shmget(IPC_PRIVATE, 0, 0600));
}
