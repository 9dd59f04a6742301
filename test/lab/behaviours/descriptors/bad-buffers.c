// Bad pointers give EFAULT, or the part that is good, before anything is lost.
#include "../../lab.h"
#include <sys/uio.h>

static void *volatile bad = (void *)8, *volatile none;
static volatile int minus = -1;

BEHAVIOUR {
  char *good = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), text[16] = "";
  munmap(good + 4096, 4096);
  char *volatile end = good + 4096;
  int ends[2];
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  DO(pipe(bad));
  DO(pipe(ends));
  DO(write(ends[1], "abcdef", 6));
  DO(read(ends[0], bad, 3));
  DO(read(ends[0], end, 3));
  DO(read(ends[0], none, 3));
  DO(read(ends[0], text, 6));
  SAY("%s", text);
  DO(write(ends[1], bad, 3));
  DO(write(fd, end, 3));
  DO(write(fd, bad, 0));
  memcpy(end - 4, "tail", 4);
  DO(pwrite(fd, end - 4, 100, 0));
  DO(lseek(fd, 0, SEEK_END));
  DO(pread(fd, end - 2, 100, 0));
  SAY("%.4s", end - 4);
  struct iovec parts[2] = {{text, 2}, {end, 2}};
  DO(pwritev(fd, parts, 2, 0));
  DO(writev(fd, bad, 2));
  DO(writev(fd, parts, minus));
  volatile int many = 1025;
  DO(writev(fd, parts, many));
  parts[0].iov_len = (size_t)-1;
  DO(writev(fd, parts, 1));
  DO(open(bad, O_RDONLY));
  DO(lseek(fd, 0, 99));
}
