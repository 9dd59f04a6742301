// What one process writes to a shared mapping of a file the others see, in their mappings and by read(2).
// refused: it maps a file shared
// home: mmap
#include "../../lab.h"

static int fd;
static void write_it(void) {
  char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(map, "from the child");
  strcpy(map + 5000, "second");
}

BEHAVIOUR {
  char text[32] = "";
  fd = open("file", O_RDWR | O_CREAT, 0600);
  if (ftruncate(fd, 8192)) abort();
  char *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
  SAY("%d", map[0] + map[5000]);
  const pid_t child = child_later(30, write_it);
  AT(SAY("%d", ended(child)));
  SAY("%s, %s", map, map + 5000);
  DO(pread(fd, text, 15, 0));
  SAY("%s", text);
}
