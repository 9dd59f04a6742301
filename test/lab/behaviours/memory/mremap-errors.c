// What mremap refuses, and that nothing is lost by it.
#include "../../lab.h"

BEHAVIOUR {
  char *at = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(at, 'r', 8 * 4096);
  DO(munmap(at + 4 * 4096, 4096));
  TRY(mremap(at + 1, 4096, 8192, MREMAP_MAYMOVE));
  TRY(mremap(at, 4096, 0, MREMAP_MAYMOVE));
  TRY(mremap(at, 4096, 4096, 64));
  TRY(mremap(at, 4096, 4096, MREMAP_FIXED, at + 4 * 4096));
  TRY(mremap(at, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, at + 4096));
  TRY(mremap(at, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at + 4097));
  TRY(mremap(at + 4 * 4096, 4096, 8192, MREMAP_MAYMOVE));
  TRY(mremap(at, 6 * 4096, 7 * 4096, MREMAP_MAYMOVE));
  TRY(mremap(at, 0, 4096, MREMAP_MAYMOVE));
  TRY(mremap(at, 4096, 8192, MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
  TRY(mremap(at, 4096, (size_t)1 << 47, MREMAP_MAYMOVE));
  AT(SAY("%c%c%c%c", at[0], at[4095], at[3 * 4096], at[7 * 4096 + 4095]));
}
