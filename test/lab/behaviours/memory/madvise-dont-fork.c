// What is not to be inherited a child does not have, anonymous memory or a file's, wherever it was said and wherever the fork is; what may be again it has.
// home: fork, clone, madvise
#include "../../lab.h"

static char *at, *file;

static int has(char *page) {
  unsigned char there;
  return mincore(page, 4096, &there) == 0;
}

static void look(void) {
  const pid_t child = FORK();
  if (child == 0) {
    SAY("child: %d %d %d, of the file %d %d %d", has(at), has(at + 4096), has(at + 8192), has(file), has(file + 4096), has(file + 8192));
    if (has(at + 4096)) SAY("and in it %d", at[4096]);
    if (has(file + 8192)) SAY("and in the file %c", file[8192]);
    _exit(0);
  }
  SAY("%d, here: %d %c", ended(child), at[4096], file[4096]);
}

BEHAVIOUR {
  char block[3 * 4096];
  memset(block, 'f', sizeof block);
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  if (write(fd, block, sizeof block) != sizeof block) abort();
  at = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  file = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  memset(at, 7, 3 * 4096);
  DO(madvise(at + 4096, 4096, MADV_DONTFORK));
  look();
  DO(madvise(file, 4096, MADV_DONTFORK));
  look();
  DO(madvise(at, 4096, MADV_DONTFORK));
  look();
  DO(madvise(file + 4096, 4096, MADV_DONTFORK));
  look();
  DO(madvise(at, 8192, MADV_DOFORK));
  look();
  DO(madvise(file, 8192, MADV_DOFORK));
  look();
  // What is mapped in the place of such memory is not such memory.
  DO(madvise(at, 4096, MADV_DONTFORK));
  AT(mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  look();
  // It stays so where it is moved.
  DO(madvise(at + 4096, 4096, MADV_DONTFORK));
  char *place = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  TRY(mremap(at + 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, place));
  AT(mmap(at + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  const pid_t child = FORK();
  if (child == 0) _exit(has(place) * 10 + has(at + 4096));
  SAY("%d, here %d", ended(child), place[0]);
}
