// Advice on shared memory: MADV_DONTNEED keeps it, MADV_REMOVE clears it, MADV_FREE and MADV_WIPEONFORK are not for it.
#include "../../lab.h"

BEHAVIOUR {
  const size_t size = 8 * 4096;
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  HOLDS(memory != MAP_FAILED);
  AT(memset(memory, 'x', size));
  DO(madvise(memory, size, MADV_DONTNEED));
  SAY("%c %c", memory[0], memory[size - 1]);
  DO(madvise(memory + 4096, 2 * 4096, MADV_REMOVE));
  SAY("%c %d %d %c", memory[0], memory[4096], memory[3 * 4096 - 1], memory[3 * 4096]);
  DO(madvise(memory, size, MADV_FREE));
  DO(madvise(memory, size, MADV_WIPEONFORK));
  AT(memory[4096] = 'y');
  DO(madvise(memory, size, MADV_DONTNEED));
  SAY("%c %c", memory[4096], memory[5 * 4096]);
  DO(mprotect(memory, 4096, PROT_READ));
  DO(madvise(memory, 4096, MADV_DONTNEED));
  SAY("%c", memory[0]);
  DO(munmap(memory + 4096, 4096));
  DO(madvise(memory, size, MADV_DONTNEED));
  SAY("%c %c", memory[0], memory[2 * 4096 + 4096]);
}
