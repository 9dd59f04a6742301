// munmap takes out what it is told, also over holes and several mappings, and the neighbours keep theirs.
#include "../../lab.h"

static bool there(char *at) {
  unsigned char seen;
  return mincore(at, 4096, &seen) == 0;
}

BEHAVIOUR {
  char *at = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), seen[65] = "";
  for (int i = 0; i < 64; ++i) at[i * 4096] = (char)(32 + i);
  for (int i = 1; i < 64; i += 3) munmap(at + i * 4096, 4096);
  for (int i = 2; i < 64; i += 6) mprotect(at + i * 4096, 4096, PROT_READ);
  DO(munmap(at + 20 * 4096, 30 * 4096 - 100));
  DO(munmap(at + 20 * 4096, 30 * 4096));
  DO(munmap(at + 1, 4096));
  DO(munmap(at, 0));
  DO(munmap(at, (size_t)-4096));
  DO(munmap((void *)(1L << 47), 4096));
  DO(munmap(at + 60 * 4096, 1));
  for (int i = 0; i < 64; ++i) seen[i] = there(at + i * 4096) ? at[i * 4096] : '.';
  AT(SAY("%s", seen));
}
