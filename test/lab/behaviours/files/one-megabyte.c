// A megabyte is written and read at once, byte for byte.
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  const size_t size = (1 << 20) + 17;
  char *data = malloc(size), *back = calloc(1, size);
  for (size_t i = 0; i < size; ++i) data[i] = (char)(i * 31 + i / 1000);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, data, size));
  DO(pread(fd, back, size, 0));
  DO(memcmp(data, back, size));
  memset(back, 0, size);
  struct iovec parts[3] = {{back, 300000}, {back + 300000, 500000}, {back + 800000, size - 800000}};
  DO(lseek(fd, 0, SEEK_SET));
  DO(readv(fd, parts, 3));
  DO(memcmp(data, back, size));
  DO(pwritev(fd, parts, 3, 100));
  DO(pread(fd, back, size, 100));
  DO(memcmp(data, back, size));
  DO(unlink("file"));
}
