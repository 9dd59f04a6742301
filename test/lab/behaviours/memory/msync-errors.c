// msync refuses what it must, and does nothing to memory without a file.
#include "../../lab.h"

BEHAVIOUR {
  int fd = open("file", O_RDWR | O_CREAT, 0600);
  if (ftruncate(fd, 8192) || close(fd)) abort();
  fd = open("file", O_RDONLY);                        // one that is open for writing would keep it at home
  char *at = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
  at[0] = 's';
  DO(msync(at, 4096, MS_SYNC));
  DO(msync(at, 4096, MS_ASYNC | MS_SYNC));
  DO(msync(at, 4096, 64));
  DO(msync(at + 1, 4096, MS_SYNC));
  DO(msync(at, 0, MS_SYNC));
  DO(munmap(at + 4096, 4096));
  DO(msync(at, 3 * 4096, MS_ASYNC));
  DO(msync(map, 8192, MS_SYNC));
  DO(msync(map, 8192, MS_INVALIDATE));
  AT(SAY("%c %d", at[0], map[4096]));
}
