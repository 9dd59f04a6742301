// Calls take and give bytes of a file's mapping that nobody has touched yet.
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  const size_t size = 600000;
  char *data = malloc(size), back[8] = "";
  for (size_t i = 0; i < size; ++i) data[i] = (char)(i / 4096 + i);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600)), out = DO(open("out", O_RDWR | O_CREAT, 0600));
  DO(write(fd, data, size));
  char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  DO(write(out, map + 100000, 400000));
  DO(pread(out, back, 8, 399992));
  DO(memcmp(back, data + 499992, 8));
  DO(pread(fd, map + 520000, 10, 0));
  DO(memcmp(map + 520000, data, 10));
  DO(memcmp(map + 520010, data + 520010, 1000));
  DO(pread(fd, back, 8, 520000));
  DO(memcmp(back, data + 520000, 8));
  strcpy(map + 550000, "name");
  DO(open(map + 550000, O_CREAT | O_EXCL, 0600) > 0);
  struct iovec parts[2] = {{map + 580000, 10}, {map + 4096, 10}};
  DO(pwritev(out, parts, 2, 0));
  DO(pread(out, back, 8, 10));
  DO(memcmp(back, data + 4096, 8));
}
