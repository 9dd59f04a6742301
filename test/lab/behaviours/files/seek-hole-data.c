// lseek finds data and holes, and refuses what is beyond the end or before the beginning.
#include "../../lab.h"

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(lseek(fd, 1 << 20, SEEK_SET));
  DO(write(fd, "data", 4));
  DO(ftruncate(fd, 3 << 20));
  HOLDS(lseek(fd, 0, SEEK_HOLE) >= 0);
  DO(lseek(fd, 0, SEEK_DATA));
  DO(lseek(fd, (1 << 20) + 1, SEEK_DATA));
  DO(lseek(fd, 1 << 20, SEEK_HOLE) > 1 << 20);
  DO(lseek(fd, 2 << 20, SEEK_DATA));
  DO(lseek(fd, 3 << 20, SEEK_HOLE));
  DO(lseek(fd, 4 << 20, SEEK_HOLE));
  DO(lseek(fd, -1, SEEK_SET));
  DO(lseek(fd, -(4 << 20), SEEK_END));
  DO(lseek(fd, INT64_MAX, SEEK_SET));
  DO(lseek(fd, 5, 77));
  int ends[2];
  DO(pipe(ends));
  DO(lseek(ends[0], 0, SEEK_CUR));
  DO(lseek(-1, 0, SEEK_CUR));
}
