// Waiting for flock and for record locks ends with EINTR, or goes on where the handler has SA_RESTART.
#include "../../interrupts.h"
#include <sys/file.h>

static int tell[2], fd;
static pid_t child;
static void release(void) { if (write(tell[1], "x", 1) != 1) abort(); }

// A child that holds the lock until it is told.
static void hold(int how) {
  int ready[2];
  if (pipe(ready)) abort();
  child = fork();
  if (child == 0) {
    const int own = open("file", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (how == 0 ? flock(own, LOCK_EX) : fcntl(own, how, &lock)) abort();
    if (write(ready[1], "x", 1) != 1) abort();
    char c;
    if (read(tell[0], &c, 1) != 1) abort();
    _exit(0);
  }
  char c;
  if (read(ready[0], &c, 1) != 1) abort();
}

BEHAVIOUR {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, none = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
  DO(pipe(tell));
  fd = open("file", O_RDWR | O_CREAT, 0600);
  hold(0);
  INTERRUPTED(flock(fd, LOCK_EX));
  RESTARTED(release, flock(fd, LOCK_EX));
  SAY("child %d", ended(child));
  flock(fd, LOCK_UN);
  hold(F_SETLKW);
  INTERRUPTED(fcntl(fd, F_SETLKW, &lock));
  RESTARTED(release, fcntl(fd, F_SETLKW, &lock));
  SAY("child %d", ended(child));
  DO(fcntl(fd, F_SETLK, &none));
  hold(F_OFD_SETLKW);
  INTERRUPTED(fcntl(fd, F_OFD_SETLKW, &lock));
  RESTARTED(release, fcntl(fd, F_OFD_SETLKW, &lock));
  SAY("child %d", ended(child));
}
