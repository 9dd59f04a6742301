// F_SETFL changes what may be changed, for all that share the open file, and nothing else.
// home: fcntl
#include "../../lab.h"
#include <sys/ioctl.h>

BEHAVIOUR {
  int ends[2], on = 1, off = 0;
  const int fd = DO(open("file", O_RDWR | O_CREAT | O_APPEND, 0600)), twin = DO(dup(fd)), own = DO(open("file", O_RDONLY));
  DO(fcntl(fd, F_GETFL));
  DO(fcntl(own, F_GETFL));
  DO(fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY | O_TRUNC));
  DO(fcntl(twin, F_GETFL));
  DO(write(fd, "ab", 2));
  DO(lseek(twin, 0, SEEK_SET));
  DO(write(fd, "c", 1));
  DO(lseek(twin, 0, SEEK_CUR));
  DO(pipe2(ends, O_NONBLOCK));
  DO(ioctl(ends[0], FIONBIO, &off));
  DO(fcntl(ends[0], F_GETFL));
  DO(ioctl(ends[0], FIONBIO, &on));
  DO(fcntl(ends[0], F_GETFL));
  DO(ioctl(ends[0], FIONBIO, NULL));
  DO(ioctl(ends[0], FIOCLEX));
  DO(fcntl(ends[0], F_GETFD));
  DO(ioctl(ends[0], FIONCLEX));
  DO(fcntl(ends[0], F_GETFD));
  DO(fcntl(99, F_GETFL));
  DO(fcntl(fd, 9999, 0));
}
