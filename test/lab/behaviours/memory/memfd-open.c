// Memory that others may reach by a descriptor stays where they see it.
// refused: it maps shared memory
// home: mmap
#include "../../lab.h"

BEHAVIOUR {
  const int fd = TRY(memfd_create("shared", 0));
  DO(ftruncate(fd, 8192));
  char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  HOLDS(memory != MAP_FAILED);
  AT(strcpy(memory, "from the mapping"));
  char text[32] = "";
  DO(pread(fd, text, 17, 0));
  SAY("%s", text);
  DO(pwrite(fd, "from the descriptor", 20, 4096));
  SAY("%s", memory + 4096);
}
