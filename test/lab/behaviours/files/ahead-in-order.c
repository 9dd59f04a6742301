// A file is read in pieces of many sizes, from one end to the other and not; where the position is, and what comes at the end, is told by every call.
#include "../../lab.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

static uint64_t sum(const void *data, ssize_t length) {
  uint64_t hash = 1469598103934665603u;
  for (ssize_t i = 0; i < length; ++i) hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
  return hash;
}

BEHAVIOUR {
  static char data[400000], got[500000];
  for (size_t i = 0; i < sizeof data; ++i) data[i] = (char)(i * i >> 7 ^ i);
  const int made = open("file", O_WRONLY | O_CREAT, 0600);
  HOLDS(write(made, data, sizeof data) == sizeof data);
  close(made);
  const int fd = DO(open("file", O_RDONLY));
  SAY("%lx", sum(got, DO(read(fd, got, 100))));
  SAY("%lx", sum(got, DO(read(fd, got, 70000))));
  DO(lseek(fd, 0, SEEK_CUR));
  SAY("%lx", sum(got, DO(pread(fd, got, 5000, 99))));
  SAY("%lx", sum(got, DO(read(fd, got, 4096))));
  DO(fcntl(fd, F_GETLEASE));
  DO(fcntl(fd, F_GETOWN));
  DO(fcntl(fd, F_GETSIG));
  int left = 0;
  DO(ioctl(fd, FIONREAD, &left));
  SAY("%d left", left);
  DO(read(fd, got, 0));
  char *volatile nowhere = NULL;
  DO(read(fd, nowhere, 10));
  DO(lseek(fd, 0, SEEK_CUR));
  struct iovec two[] = {{got, 1000}, {got + 1000, 90000}};
  SAY("%lx", sum(got, DO(readv(fd, two, 2))));
  SAY("%lx", sum(got, DO(read(fd, got, 12345))));
  DO(lseek(fd, 300000, SEEK_SET));
  SAY("%lx", sum(got, DO(read(fd, got, 10))));
  DO(lseek(fd, -5, SEEK_CUR));
  SAY("%lx", sum(got, DO(read(fd, got, sizeof got))));
  DO(read(fd, got, 1));
  DO(lseek(fd, 100, SEEK_END));
  DO(read(fd, got, 1));
  DO(lseek(fd, -1, SEEK_SET));
  DO(lseek(fd, 65530, SEEK_SET));
  const int out = DO(open("out", O_RDWR | O_CREAT | O_TRUNC, 0600));
  for (int i = 0; i < 4; ++i) {
    SAY("%lx", sum(got, DO(read(fd, got, 65536))));
    DO(write(out, got, 65536));
  }
  DO(lseek(fd, 0, SEEK_CUR));
  DO(pread(fd, got, 100, -1));
  DO(pread(fd, got, 100, 1 << 30));
  DO(pwrite(fd, got, 1, 0));
  DO(close(fd));
  DO(read(fd, got, 1));
  const int own = DO(open("file", O_RDONLY));
  DO(read(own, got, 70000));
  DO(fcntl(own, F_SETLEASE, F_WRLCK));
  DO(read(own, got, 70000));
  DO(fcntl(own, F_GETLEASE));
  DO(close(own));
  const int again = DO(open("file", O_RDONLY));
  SAY("%lx", sum(got, DO(read(again, got, sizeof got))));
  DO(read(again, got, sizeof got));
  char *hole = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(hole + 4096, 4096);
  DO(lseek(again, 0, SEEK_SET));
  SAY("%lx", sum(got, DO(read(again, got, 10))));
  DO(read(again, hole, 8192));
  DO(read(again, hole + 4096, 10));
  DO(lseek(again, 0, SEEK_CUR));
}
