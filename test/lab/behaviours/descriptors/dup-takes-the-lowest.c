// dup and F_DUPFD give the lowest free number at or above what is asked; dup2 closes what was there; none keeps close-on-exec but F_DUPFD_CLOEXEC and dup3.
#include "../../lab.h"

BEHAVIOUR {
  int ends[2];
  const int fd = DO(open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  DO(pipe(ends));
  DO(close(ends[0]));
  const int low = DO(dup(fd));
  HOLDS(low == ends[0]);
  DO(fcntl(low, F_GETFD));
  DO(fcntl(fd, F_DUPFD, 100));
  DO(fcntl(fd, F_DUPFD, 100));
  DO(fcntl(fd, F_DUPFD_CLOEXEC, 100));
  DO(fcntl(102, F_GETFD));
  DO(fcntl(101, F_GETFD));
  DO(dup3(fd, 101, O_CLOEXEC));
  DO(fcntl(101, F_GETFD));
  DO(dup3(fd, fd, 0));
  DO(dup3(fd, 102, 1));
  DO(dup2(fd, fd));
  DO(dup2(55, 55));
  DO(dup2(55, 101));
  DO(fcntl(101, F_GETFD));
  DO(dup2(fd, -1));
  DO(dup2(fd, ends[1]));
  DO(write(ends[1], "into the file", 13));
  DO(fcntl(fd, F_DUPFD, -1));
}
