// Memory may be asked for at any address, as V8 does at random: what is given is the program's own, holds what is written, and can be given back.
#include "../../lab.h"

// Where mosrun has its own part of a process that is away: from 64 TiB on, or a multiple of 64 GiB further.
static char *hint(int i) { return (char *)0x400000000000 + (i / 8 * 0x1000000000L) + (i % 8 + 1) * 0xc40000L; }

BEHAVIOUR {
  char *given[16];
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < 16; ++i) {
      if (i % 4 == 0) lab_point("memory");
      given[i] = mmap(hint(i), 0x140000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (given[i] == MAP_FAILED) SAY("not given");
      else memset(given[i], i + 1, 0x140000);
    }
    int wrong = 0;
    AT(for (int i = 0; i < 16; ++i) for (int at = 0; at < 0x140000; at += 4096) wrong += given[i][at] != i + 1);
    SAY("%d wrong", wrong);
    for (int i = 0; i < 16; ++i) {
      if (i % 4 == 0) lab_point("back");
      SAY("munmap %d", munmap(given[i], 0x140000));
    }
  }
}
