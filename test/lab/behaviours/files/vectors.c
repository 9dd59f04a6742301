// readv and writev fill and empty one buffer after another, up to the end of what there is.
#include "../../lab.h"
#include <limits.h>
#include <sys/uio.h>

BEHAVIOUR {
  char a[4] = "", b[8] = "", c[8] = "";
  struct iovec out[] = {{"one", 3}, {NULL, 0}, {"fourfive", 8}}, in[] = {{a, 3}, {b, 0}, {b, 5}, {c, 7}};
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(writev(fd, out, 3));
  DO(lseek(fd, 0, SEEK_SET));
  DO(readv(fd, in, 4));
  SAY("%s %s %s", a, b, c);
  DO(preadv(fd, in, 1, 8));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(pwritev(fd, out, 1, 20));
  DO(preadv(fd, in, 1, 18));
  SAY("%d %d %c", a[0], a[1], a[2]);
  DO(readv(fd, in, 0));
  DO(syscall(SYS_readv, fd, in, -1));
  DO(preadv(fd, in, 1, -1));
  in[1].iov_len = (size_t)-1;
  DO(readv(fd, in, 3));
  DO(writev(fd, in, 3));
  static struct iovec many[IOV_MAX + 1];
  for (int i = 0; i <= IOV_MAX; ++i) many[i] = (struct iovec){"xy", 2};
  DO(writev(fd, many, IOV_MAX));
  DO(writev(fd, many, IOV_MAX + 1));
  DO(readv(-1, in, 1));
  DO(lseek(fd, 0, SEEK_END));
}
