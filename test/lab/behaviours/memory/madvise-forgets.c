// MADV_DONTNEED makes memory zero again, and what refuses advice does so with the right error.
#include "../../lab.h"

BEHAVIOUR {
  char *at = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(at, 'd', 8 * 4096);
  DO(madvise(at + 4096, 2 * 4096, MADV_DONTNEED));
  AT(SAY("%c %d %d %c", at[4095], at[4096], at[3 * 4096 - 1], at[3 * 4096]));
  at[4096] = 'n';
  AT(SAY("%c %d", at[4096], at[8192]));
  DO(madvise(at + 100, 4096, MADV_DONTNEED));
  DO(madvise(at, 4096, 1000));
  DO(madvise(at, (size_t)-1, MADV_DONTNEED));
  DO(madvise(at, 0, MADV_DONTNEED));
  DO(munmap(at + 5 * 4096, 4096));
  DO(madvise(at + 4 * 4096, 3 * 4096, MADV_DONTNEED));
  AT(SAY("%c %d %d %c", at[3 * 4096], at[4 * 4096], at[6 * 4096], at[7 * 4096]));
  DO(madvise(at, 4096, MADV_REMOVE));
  DO(madvise(at + 3 * 4096, 4096, MADV_POPULATE_WRITE));
  DO(madvise(at + 5 * 4096, 4096, MADV_POPULATE_READ));
  DO(mprotect(at, 4096, PROT_READ));
  DO(madvise(at, 4096, MADV_POPULATE_WRITE));
  DO(madvise(at, 4096, MADV_COLD));
  AT(SAY("%c", at[0]));
}
