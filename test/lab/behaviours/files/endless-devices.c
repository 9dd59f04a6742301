// /dev/zero and /dev/urandom give all that is asked for, however much that is.
#include "../../lab.h"
#include <sys/uio.h>

static unsigned char block[96 << 20];

BEHAVIOUR {
  const int zero = open("/dev/zero", O_RDWR), random = open("/dev/urandom", O_RDONLY);
  struct iovec halves[2] = {{block, 40 << 20}, {block + (40 << 20), 40 << 20}};
  for (int i = 0; i < 2; ++i) {
    DO(read(zero, block, sizeof block));
    DO(readv(zero, halves, 2));
    DO(read(random, block, 20 << 20));
  }
  DO(write(zero, block, sizeof block));
}
