// mincore tells touched pages from those that never were, and refuses what is not mapped.
#include "../../lab.h"

static unsigned char seen[16];
static const char *row(int n) {
  static char text[17];
  for (int i = 0; i < n; ++i) text[i] = seen[i] & 1 ? 'x' : '-';
  text[n] = 0;
  return text;
}

BEHAVIOUR {
  char *at = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  madvise(at, 16 * 4096, MADV_NOHUGEPAGE);
  for (int i = 0; i < 16; i += 3) at[i * 4096] = 1;
  DO(mincore(at, 16 * 4096, seen));
  SAY("%s", row(16));
  AT(at[4 * 4096] = 1);
  DO(mincore(at, 16 * 4096 - 1, seen));
  SAY("%s", row(16));
  DO(mincore(at + 1, 4096, seen));
  DO(mincore(at, 4096, (unsigned char *)1));
  DO(munmap(at + 8 * 4096, 4096));
  DO(mincore(at + 7 * 4096, 2 * 4096, seen));
  DO(mincore((void *)-4096, 8192, seen));
}
