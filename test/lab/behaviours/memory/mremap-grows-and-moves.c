// mremap keeps what is in the memory that it makes smaller, larger, or takes elsewhere.
#include "../../lab.h"

BEHAVIOUR {
  char *at = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *old = at;
  for (int i = 0; i < 16; ++i) at[i * 4096] = (char)('a' + i);
  munmap(at + 8 * 4096, 4096);
  TRY(mremap(at, 8 * 4096, 10 * 4096, 0));
  AT(at = mremap(at, 8 * 4096, 64 * 4096, MREMAP_MAYMOVE));
  HOLDS(at != MAP_FAILED && at != old);
  SAY("%c %c %d %d", at[0], at[7 * 4096], at[8 * 4096], at[63 * 4096]);
  TRY(mprotect(old, 4096, PROT_READ));
  AT(at[63 * 4096] = 'z');
  AT(HOLDS(mremap(at, 64 * 4096, 4 * 4096, 0) == at));
  AT(HOLDS(mremap(at, 4 * 4096, 6 * 4096, 0) == at));
  SAY("%c %d", at[3 * 4096], at[4 * 4096]);
  char *room = mmap(NULL, 32 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  AT(HOLDS(mremap(at, 6 * 4096, 6 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room + 4096) == room + 4096));
  AT(SAY("%c %c %d", room[4096], room[4 * 4096], room[7 * 4096]));
  room[4096] = 'w';
  char *kept = TRY(mremap(room + 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
  HOLDS(kept != MAP_FAILED);
  AT(SAY("%c %d", kept[0], room[4096]));
}
