// Nine thousand mappings of a file show what is in it, and stay at home.
// refused: it has more mappings
// home: mmap
#include "../../lab.h"

BEHAVIOUR {
  enum { PAGES = 9000 };
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  if (ftruncate(fd, 4096)) abort();
  if (pwrite(fd, "mapped", 6, 0) != 6) abort();
  char *at = mmap(NULL, (size_t)PAGES * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (int i = 0; i < PAGES; ++i)
    if (mmap(at + (size_t)i * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) abort();
  AT(SAY("%s %s", at, at + (size_t)(PAGES - 1) * 4096));
  AT(munmap(at, (size_t)PAGES * 4096));
}
