// A mapping of a large sparse file shows its few bytes where they are.
#include "../../lab.h"

BEHAVIOUR {
  const off_t size = (off_t)10 << 30;
  const int fd = open("large", O_RDWR | O_CREAT, 0600);
  DO(ftruncate(fd, size));
  DO(pwrite(fd, "begin", 6, 0));
  DO(pwrite(fd, "middle", 7, size / 2 + 4090));
  DO(pwrite(fd, "end", 4, size - 4));
  char *map = TRY(mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0));
  HOLDS(map != MAP_FAILED);
  AT(SAY("%s", map + size / 2 + 4090));
  AT(SAY("%s, %s, %d", map, map + size - 4, map[size / 3]));
  char *half = TRY(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, size - 4096));
  AT(half[0] = 'h');
  AT(SAY("%s %c", half + 4092, half[0]));
  DO(unlink("large"));
  DO(close(fd));
  AT(SAY("%s", map + size - 4));
}
