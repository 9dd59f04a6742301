// flock and fcntl locks keep processes apart, wait, and end with their holders; a lock over another's end or a part of it is told.
#include "../../lab.h"
#include <sys/file.h>

static int fd;
static void let_go(void) { flock(fd, LOCK_UN); }

BEHAVIOUR {
  int ready[2];
  char c;
  fd = open("file", O_RDWR | O_CREAT, 0600);
  const int own = open("file", O_RDWR);
  DO(flock(fd, LOCK_EX));
  DO(flock(own, LOCK_SH | LOCK_NB));
  const pthread_t other = later(60, let_go);
  DO(flock(own, LOCK_EX));
  pthread_join(other, NULL);
  DO(flock(fd, 77));
  if (pipe(ready)) abort();
  struct flock part = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10};
  const pid_t child = fork();
  if (child == 0) {
    const int mine = open("file", O_RDWR);
    if (fcntl(mine, F_SETLK, &part) || write(ready[1], "r", 1) != 1) _exit(1);
    sleep_ms(700);
    _exit(0);
  }
  if (read(ready[0], &c, 1) != 1) abort();
  struct flock ask = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 100};
  AT(fcntl(fd, F_GETLK, &ask));
  HOLDS(ask.l_pid == child);
  SAY("%d %ld %ld", ask.l_type == F_WRLCK, (long)ask.l_start, (long)ask.l_len);
  ask = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 1};
  DO(fcntl(fd, F_SETLKW, &ask));
  SAY("%d", ended(child));
  DO(fcntl(fd, F_GETLK, &part));
  SAY("%d", part.l_type == F_UNLCK);
  ask.l_start = -5;
  DO(fcntl(fd, F_SETLK, &ask));
}
