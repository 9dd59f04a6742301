// The break moves up and down; what it gives again is zero, and it does not run into what is mapped above it.
#include "../../lab.h"

BEHAVIOUR {
  char *start = sbrk(0);
  DO(brk(start + 10 * 4096));
  HOLDS((char *)sbrk(0) == start + 10 * 4096);
  AT(memset(start, 'b', 10 * 4096));
  DO(brk(start + 4 * 4096));
  DO(brk(start + 8 * 4096 + 100));
  SAY("%c %d", start[4 * 4096 - 1], start[5 * 4096]);
  AT(start[8 * 4096 + 50] = 'e');
  char *wall = (char *)(((uintptr_t)start + 40 * 4096) & ~4095ul);
  HOLDS(mmap(wall, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == wall);
  DO(brk(wall + 4096));
  HOLDS((char *)sbrk(0) == start + 8 * 4096 + 100);
  DO(munmap(wall, 4096));
  DO(brk(wall + 4096));
  AT(SAY("%c %c %d", start[0], start[8 * 4096 + 50], wall[0]));
  DO(brk(start));
  HOLDS((char *)sbrk(0) == start);
  const pid_t child = FORK();
  if (child == 0) _exit((char *)sbrk(4096) == start && start[4095] == 0 ? 3 : 4);
  SAY("child %d", ended(child));
  HOLDS((char *)sbrk(0) == start);
}
