// A shared mapping, also one that is only read, shows what is written to the file.
// home: mmap
// refused: it maps a file shared that it has opened for writing
#include "../../lab.h"

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "one...", 6));
  AT((void)0);
  const volatile char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  HOLDS(map != MAP_FAILED);
  AT(SAY("%.6s", map));
  if (pwrite(fd, "two", 3, 0) != 3) abort();
  SAY("%.6s", map);
  DO(pwrite(fd, "three", 5, 3));
  SAY("%.9s", map);
  DO(munmap((void *)map, 4096));
}
