// In /proc/self/maps there is nothing that the program did not make.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

static int count(void) {
  int lines = 0, executable = 0;
  for (int tries = 0; tries < 100; ++tries, sleep_ms(50)) {
    FILE *f = fopen("/proc/self/maps", "r");
    char line[600], mode[8], name[300];
    lines = executable = 0;
    while (f && fgets(line, sizeof line, f)) {
      name[0] = 0;
      sscanf(line, "%*x-%*x %7s %*x %*s %*d %299s", mode, name);
      ++lines;
      executable += mode[2] == 'x' && !name[0];
    }
    if (f) fclose(f);
    if (!executable) break;                             // what a move needed for itself is gone a moment later
  }
  return executable * 1000 + lines;
}

BEHAVIOUR {
  count();                                              // buffers are made now
  const int lines = count();
  int now;
  AT(now = count());
  HOLDS(now >= lines - 2 && now <= lines + 2);          // neighbours may have become one, or not
  void *made = mmap(NULL, 40960, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  AT(mprotect((char *)made + 8192, 4096, PROT_NONE));
  AT(now = count());
  HOLDS(now >= lines + 1 && now <= lines + 4);
  DO(munmap(made, 40960));
  AT(now = count());
  HOLDS(now >= lines - 2 && now <= lines + 2);          // neighbours may have become one, or not
}
