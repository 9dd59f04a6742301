// Guards (MADV_GUARD_INSTALL, Linux 6.13) are no pages: touching one is a fault, whatever was there is gone, and they stay over a fork until they are removed.
#include "../../lab.h"
#include <setjmp.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static sigjmp_buf back;
static void caught(int signal) { siglongjmp(back, signal); }
static const char *touch(volatile char *at) {
  static char seen[2];
  const int signal = sigsetjmp(back, 1);
  if (signal) return strsignal(signal);
  seen[0] = *at ? *at : '0';
  return seen;
}

BEHAVIOUR {
  signal(SIGSEGV, caught);
  char *at = mmap(NULL, 256 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(at, 'g', 256 * 4096);
  DO(madvise(at + 4096, 4096, MADV_GUARD_INSTALL));
  DO(madvise(at + 100 * 4096, 20 * 4096, MADV_GUARD_INSTALL));
  AT(SAY("%s, %s, %s, %s", touch(at), touch(at + 4096), touch(at + 110 * 4096), touch(at + 120 * 4096)));
  at[2 * 4096] = 'h';
  if (!FORK()) {
    AT(SAY("in the child %s, %s", touch(at + 4096), touch(at + 2 * 4096)));
    _exit(0);
  }
  wait(NULL);
  DO(madvise(at + 100 * 4096, 10 * 4096, MADV_GUARD_REMOVE));
  AT(SAY("%s, %s", touch(at + 105 * 4096), touch(at + 115 * 4096)));
}
