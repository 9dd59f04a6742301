// Two processes that would wait for each other's record locks: one is told EDEADLK.
// home: fork
#include "../../lab.h"

static int fd;
static int set(int command, short type, off_t at) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
  return fcntl(fd, command, &lock);
}

BEHAVIOUR {
  int ends[2];
  char byte;
  fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(pipe(ends));
  DO(set(F_SETLK, F_WRLCK, 1));
  const pid_t child = FORK();
  if (!child) {
    if (set(F_SETLK, F_WRLCK, 2) || write(ends[1], "x", 1) != 1) _exit(1);
    _exit(set(F_SETLKW, F_WRLCK, 1) ? 2 : 0);           // until the parent gives it up
  }
  DO(read(ends[0], &byte, 1));
  sleep_ms(100);
  int result = 0;
  for (int i = 0; i < 50; ++i) {                        // until the child waits
    result = set(F_SETLK, F_WRLCK, 2);
    if (i == 5) lab_point("F_SETLKW");
    if (i > 5 && (result = set(F_SETLKW, F_WRLCK, 2)) < 0) break;
    sleep_ms(5);
  }
  SAY("%d %s", result, lab_error(errno));
  DO(set(F_SETLK, F_UNLCK, 1));
  SAY("child %d", ended(child));
  DO(set(F_SETLKW, F_WRLCK, 2));
}
