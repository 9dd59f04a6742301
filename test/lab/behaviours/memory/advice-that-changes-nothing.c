// Advice about what will be needed, or how, changes nothing of what is in memory.
#include "../../lab.h"

BEHAVIOUR {
  const size_t size = 4 << 20;
  char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < size; i += 4096) at[i] = (char)(i / 4096);
  DO(madvise(at, size, MADV_HUGEPAGE));
  DO(madvise(at, size / 2, MADV_COLD));
  DO(madvise(at, size / 2, MADV_PAGEOUT));
  DO(madvise(at, size, MADV_DONTDUMP));
  DO(madvise(at, size, MADV_WILLNEED));
  DO(madvise(at, size, MADV_SEQUENTIAL));
  DO(madvise(at, size, MADV_NOHUGEPAGE));
  DO(madvise(at, size, MADV_DODUMP));
  DO(madvise(at, size, MADV_MERGEABLE));
  DO(madvise(at, size, MADV_UNMERGEABLE));
  int wrong = 0;
  AT(for (size_t i = 0; i < size; i += 4096) wrong += at[i] != (char)(i / 4096));
  SAY("%d wrong", wrong);
  DO(madvise(at, 4096, MADV_FREE));
  AT(at[0] = 'f');
  AT(SAY("%c", at[0]));
}
