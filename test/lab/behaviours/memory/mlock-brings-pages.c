// Locked memory is in core, keeps its content, and can be forgotten once it is unlocked.
// home: munlock
#include "../../lab.h"

BEHAVIOUR {
  unsigned char seen[4];
  char *at = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(at, 'l', 4096);
  DO(mlock(at, 2 * 4096));
  DO(mincore(at, 4 * 4096, seen));
  SAY("%d%d%d%d", seen[0] & 1, seen[1] & 1, seen[2] & 1, seen[3] & 1);
  AT(SAY("%c", at[0]));
  at[4096] = 'k';
  DO(munlock(at, 2 * 4096));
  AT(SAY("%c %c", at[0], at[4096]));
  DO(madvise(at, 4096, MADV_DONTNEED));
  AT(SAY("%d %c", at[0], at[4096]));
}
