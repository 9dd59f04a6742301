// Protection keys are given where the processor has them, and refused in the same way everywhere.
// home: pkey_alloc, pkey_free, pkey_mprotect
#include "../../lab.h"

BEHAVIOUR {
  char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  at[0] = 'p';
  DO(pkey_mprotect(at, 4096, PROT_READ, -1));
  DO(pkey_mprotect(at, 4096, PROT_READ, 99));
  DO(pkey_free(99));
  DO(pkey_alloc(1, 0));
  AT(SAY("%c", at[0]));
  DO(pkey_mprotect(at, 4096, PROT_READ | PROT_WRITE, -1));
  AT(at[0] = 'q');
  AT(SAY("%c", at[0]));
}
