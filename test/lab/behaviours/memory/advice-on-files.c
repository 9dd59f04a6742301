// Advice for anonymous memory alone is refused of files, in a range where they begin; what lies before has it. Of holes the rest of a range has it too.
// home: madvise, fork, clone
#include "../../lab.h"

BEHAVIOUR {
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  if (ftruncate(fd, 8192)) abort();
  char *at = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(at, 1, 4 * 4096);
  if (mmap(at + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) abort();
  at[4096] = 2;
  DO(madvise(at, 3 * 4096, MADV_WIPEONFORK));
  DO(madvise(at + 4096, 4096, MADV_WIPEONFORK));
  DO(madvise(at + 4096, 4096, MADV_FREE));
  DO(madvise(at + 4096, 4096, MADV_KEEPONFORK));
  const pid_t child = FORK();
  if (child == 0) _exit(at[0] * 100 + at[4096] * 10 + at[2 * 4096]);
  SAY("%d", ended(child));
  AT(munmap(at + 2 * 4096, 4096));
  DO(madvise(at, 4 * 4096, MADV_DONTFORK));
  DO(madvise(at, 4 * 4096, MADV_DONTNEED));
  SAY("%d %d %d", at[0], at[4096], at[3 * 4096]);
  DO(madvise(at, 4 * 4096, MADV_DOFORK));
  DO(madvise(at + 1, 4096, MADV_DONTFORK));
  DO(madvise(at, 4096, 12345));
}
