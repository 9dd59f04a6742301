// MADV_POPULATE_READ and MADV_POPULATE_WRITE bring pages of a file's mapping, of its middle and of its end, and say where there are none.
#include "../../lab.h"
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

BEHAVIOUR {
  const int fd = open("populated", O_RDWR | O_CREAT, 0600);
  char block[4096];
  for (int i = 0; i < 64; ++i) {
    memset(block, 'a' + i % 26, sizeof block);
    if (write(fd, block, sizeof block) != sizeof block) SAY("no room");
  }
  char *at = mmap(NULL, 80 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  DO(madvise(at, 20 * 4096, MADV_POPULATE_READ));
  DO(madvise(at + 30 * 4096, 20 * 4096, MADV_POPULATE_WRITE));
  DO(madvise(at + 60 * 4096, 20 * 4096, MADV_POPULATE_READ));
  DO(madvise(at + 60 * 4096, 20 * 4096, MADV_POPULATE_WRITE));
  DO(mprotect(at + 32 * 4096, 4096, PROT_NONE));
  DO(madvise(at + 30 * 4096, 4 * 4096, MADV_POPULATE_READ));
  AT(SAY("%c%c%c%c", at[0], at[19 * 4096], at[30 * 4096], at[63 * 4096]));
  DO(pwrite(fd, "new", 3, 40 * 4096));
  AT(SAY("%c", at[40 * 4096]));
}
