// A memfd mapped twice shows in one place what is written in the other, and to read(2).
// refused: it maps shared memory
// refused: it maps a file shared and writable
// home: mmap, mprotect
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "";
  const int fd = DO(memfd_create("twice", MFD_CLOEXEC));
  DO(ftruncate(fd, 3 * 4096));
  char *one = TRY(mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  char *two = TRY(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096));
  HOLDS(one != MAP_FAILED && two != MAP_FAILED);
  AT(strcpy(one + 4096, "abc"));
  AT(SAY("%s", two));
  DO(pread(fd, text, 4, 4096));
  SAY("%s", text);
  DO(pwrite(fd, "xyz", 3, 4096));
  AT(SAY("%s %s", one + 4096, two));
  DO(munmap(one, 3 * 4096));
  DO(munmap(two, 4096));
  DO(pread(fd, text, 4, 4096));
  SAY("%s", text);
}
