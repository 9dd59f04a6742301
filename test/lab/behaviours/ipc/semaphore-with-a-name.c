// A named semaphore is the same for parent and child, and goes with its name and its last user.
// refused: it maps a file shared and writable
// home: mmap
#include "../../lab.h"
#include <semaphore.h>

BEHAVIOUR {
  char name[64];
  snprintf(name, sizeof name, "/lab-%d", getpid());
  sem_t *s = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
  HOLDS(s != SEM_FAILED);
  AT(HOLDS(sem_open(name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST));
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("child");
    sem_post(s);
    _exit(0);
  }
  DO(sem_wait(s));
  SAY("%d", ended(child));
  AT(HOLDS(sem_open(name, 0) == s));
  DO(sem_trywait(s));
  AT(HOLDS(sem_unlink(name) == 0));
  AT(HOLDS(sem_unlink(name) == -1 && errno == ENOENT));
  DO(sem_post(s));
  DO(sem_wait(s));
  AT(HOLDS(sem_close(s) == 0));
}
