// A shared anonymous mapping that no other process has goes where the process goes: written, forgotten, grown, taken apart.
// refused: it maps the same shared memory twice
// home: mremap, mprotect, madvise, munmap
#include "../../lab.h"

BEHAVIOUR {
  char *at = TRY(mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  AT(memset(at, 's', 8 * 4096));
  DO(madvise(at, 4096, MADV_DONTNEED));
  AT(SAY("%c", at[0]));
  DO(madvise(at, 4096, MADV_REMOVE));
  AT(SAY("%d %c", at[0], at[4096]));
  DO(mprotect(at + 4096, 4096, PROT_READ));
  DO(munmap(at + 3 * 4096, 4096));
  AT(at[2 * 4096] = 't');
  AT(SAY("%c%c%c%c", at[4096], at[2 * 4096], at[4 * 4096], at[8 * 4096 - 1]));
  char *twin = TRY(mremap(at + 4 * 4096, 0, 2 * 4096, MREMAP_MAYMOVE));
  AT(twin[0] = 'u');
  AT(SAY("%c %c", at[4 * 4096], at[5 * 4096]));
  at[5 * 4096] = 'v';
  AT(SAY("%c", twin[4096]));
}
