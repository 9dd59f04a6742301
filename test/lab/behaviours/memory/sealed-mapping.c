// A sealed mapping cannot be unmapped, moved, protected or replaced.
// refused: it has sealed mappings
// home: mseal
#include "../../lab.h"

BEHAVIOUR {
  char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  at[0] = 's';
  DO(syscall(462, at, 4096ul, 1ul));
  DO(syscall(462, at, 4096ul, 0ul));
  DO(munmap(at, 4096));
  DO(mprotect(at, 4096, PROT_READ));
  TRY(mremap(at, 4096, 8192, MREMAP_MAYMOVE));
  TRY(mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  AT(SAY("%c", at[0]));
  DO(munmap(at + 4096, 4096));
}
