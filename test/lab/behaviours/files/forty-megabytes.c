// One write and one read can be of forty megabytes.
#include "../../lab.h"

BEHAVIOUR {
  const size_t size = 40 << 20;
  char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < size; i += 4096) data[i] = (char)(i / 4096 * 7);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, data, size));
  DO(lseek(fd, 0, SEEK_CUR));
  memset(data, 0, size);
  DO(pread(fd, data, size, 0));
  size_t wrong = 0;
  for (size_t i = 0; i < size; i += 4096) wrong += data[i] != (char)(i / 4096 * 7);
  SAY("%zu wrong", wrong);
  DO(unlink("file"));
}
