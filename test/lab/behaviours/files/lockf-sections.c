// lockf locks from the position on, tests, and lets go.
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(lseek(fd, 10, SEEK_SET));
  DO(lockf(fd, F_LOCK, -4));
  const pid_t child = FORK();
  if (!child) {
    lseek(fd, 7, SEEK_SET);
    _exit((lockf(fd, F_TEST, 1) ? errno : 0) * 16 + (lockf(fd, F_TLOCK, -2) ? 1 : 0));
  }
  const int told = ended(child);
  SAY("%d, locked for the child: %d", told == 16 * EACCES || told == 16 * EAGAIN, told != 0);
  DO(lockf(fd, F_TEST, 0));
  DO(lseek(fd, 0, SEEK_SET));
  DO(lockf(fd, F_ULOCK, 0));
  DO(lockf(fd, 77, 0));
  DO(lockf(open("file", O_RDONLY), F_LOCK, 0));
}
