// preadv2 and pwritev2: an offset of -1 means the position, and a flag the kernel does not know is refused.
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  char a[8] = "";
  struct iovec out = {"12345678", 8}, in = {a, 4};
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(pwritev2(fd, &out, 1, -1, 0));
  DO(lseek(fd, 2, SEEK_SET));
  DO(preadv2(fd, &in, 1, -1, 0));
  SAY("%s", a);
  DO(lseek(fd, 0, SEEK_CUR));
  DO(preadv2(fd, &in, 1, 1, 0));
  SAY("%s", a);
  DO(lseek(fd, 0, SEEK_CUR));
  DO(pwritev2(fd, &out, 1, 0, RWF_APPEND));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(lseek(fd, 0, SEEK_END));
  DO(pwritev2(fd, &out, 1, -1, RWF_DSYNC));
  DO(pwritev2(fd, &out, 1, 0, 0x10000));
  DO(preadv2(fd, &in, 1, 0, 0x10000));
  DO(preadv2(fd, &in, 1, -2, 0));
  int ends[2];
  DO(pipe(ends));
  DO(preadv2(ends[0], &in, 1, 0, 0));
  DO(preadv2(ends[0], &in, 1, -1, RWF_NOWAIT));
}
