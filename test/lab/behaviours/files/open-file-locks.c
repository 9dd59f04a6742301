// Locks of the open file, as F_OFD_SETLK makes, are between opens, not processes, and end with the last descriptor.
#include "../../lab.h"

static int a, b;
static int set(int fd, int command, short type) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
  return fcntl(fd, command, &lock);
}
static void let_go(void) { if (set(a, F_OFD_SETLK, F_UNLCK)) abort(); }

BEHAVIOUR {
  a = DO(open("file", O_RDWR | O_CREAT, 0600));
  b = DO(open("file", O_RDWR));
  DO(set(a, F_OFD_SETLK, F_WRLCK));
  DO(set(b, F_OFD_SETLK, F_RDLCK));
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 1};
  DO(fcntl(b, F_OFD_GETLK, &lock));
  SAY("%d %ld %ld %d", lock.l_type, (long)lock.l_start, (long)lock.l_len, lock.l_pid);
  DO(set(b, F_SETLK, F_RDLCK));
  DO(close(open("file", O_RDWR)));
  DO(set(b, F_OFD_SETLK, F_RDLCK));
  pthread_t other = later(60, let_go);
  DO(set(b, F_OFD_SETLKW, F_RDLCK));
  pthread_join(other, NULL);
  DO(set(a, F_OFD_SETLK, F_WRLCK));
  DO(close(b));
  DO(set(a, F_OFD_SETLK, F_WRLCK));
  lock.l_pid = 7;
  DO(fcntl(a, F_OFD_SETLK, &lock));
}
