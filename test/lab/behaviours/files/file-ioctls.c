// ioctls of any file: bytes to be read, close-on-exec, no waiting.
#include "../../lab.h"
#include <linux/fs.h>
#include <sys/ioctl.h>

BEHAVIOUR {
  int n = -1, ends[2];
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "12345", 5));
  DO(lseek(fd, 2, SEEK_SET));
  DO(ioctl(fd, FIONREAD, &n));
  SAY("%d", n);
  DO(ioctl(fd, FIOCLEX));
  DO(fcntl(fd, F_GETFD));
  DO(ioctl(fd, FIONCLEX));
  DO(fcntl(fd, F_GETFD));
  n = 1;
  DO(pipe(ends));
  DO(ioctl(ends[0], FIONBIO, &n));
  DO(read(ends[0], &n, 1));
  DO(write(ends[1], "123", 3));
  DO(ioctl(ends[0], FIONREAD, &n));
  SAY("%d", n);
  DO(ioctl(fd, FIGETBSZ, &n));
  SAY("%d", n > 0);
  DO(ioctl(fd, TCGETS, &(char[100]){0}));
  DO(ioctl(-1, FIONREAD, &n));
  DO(ioctl(fd, FIONREAD, NULL));
  DO(ioctl(fd, FICLONE, fd));
  long flags = 0;
  DO(ioctl(fd, FS_IOC_GETFLAGS, &flags));
  DO(ioctl(ends[0], FS_IOC_GETFLAGS, &flags));
}
