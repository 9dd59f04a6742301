// Buffers far down the stack, where it has not grown yet, are as good as others.
#include "../../lab.h"

static __attribute__((noinline)) int deep(int fd, int levels) {
  volatile char room[60000];
  room[0] = 1;
  if (levels) return deep(fd, levels - 1) + (room[0] & 0);
  char far[400000];
  const ssize_t n = pread(fd, far, 300000, 0);
  return n == 300000 && far[299999] == 'q' ? (int)(far[5] == 'q') : -1;
}

BEHAVIOUR {
  char *data = malloc(300000);
  memset(data, 'q', 300000);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, data, 300000));
  DO(deep(fd, 0));
  DO(deep(fd, 3));
  DO(deep(fd, 14));
  free(data);
}
