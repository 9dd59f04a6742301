// What is to be wiped on fork is zero in the child, whenever it was said and wherever it forks, and what is to be kept again is kept.
// home: fork, clone, madvise
#include "../../lab.h"

static void look(char *at) {
  const pid_t child = FORK();
  if (child == 0) {
    SAY("child: %d %d", at[0], at[4096]);
    _exit(0);
  }
  SAY("%d, here: %d %d", ended(child), at[0], at[4096]);
}

BEHAVIOUR {
  char *at = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(at, 1, 2 * 4096);
  DO(madvise(at, 4096, MADV_WIPEONFORK));
  look(at);
  look(at);
  DO(madvise(at + 4096, 4096, MADV_WIPEONFORK));
  look(at);
  DO(madvise(at, 4096, MADV_KEEPONFORK));
  look(at);
}
