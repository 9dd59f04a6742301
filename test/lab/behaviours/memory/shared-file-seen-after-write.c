// A shared mapping, also a read-only one, shows at once what the program writes to the file.
// refused: it maps a file shared that
// home: mmap
#include "../../lab.h"

BEHAVIOUR {
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  DO(write(fd, "first", 6));
  DO(ftruncate(fd, 5 * 4096));
  char *map = TRY(mmap(NULL, 5 * 4096, PROT_READ, MAP_SHARED, fd, 0));
  SAY("%s", map);
  DO(pwrite(fd, "second", 7, 0));
  SAY("%s", map);
  DO(pwrite(fd, "third", 6, 4 * 4096));
  AT(SAY("%s, %s", map, map + 4 * 4096));
  DO(pwrite(fd, "fourth", 7, 4 * 4096));
  AT(SAY("%s, %s", map, map + 4 * 4096));
}
