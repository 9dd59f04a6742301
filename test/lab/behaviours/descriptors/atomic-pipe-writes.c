// Writes of up to PIPE_BUF bytes by several processes are not mixed, also when the pipe is full and the writers wait.
#include "../../lab.h"
#include <limits.h>

BEHAVIOUR {
  int ends[2];
  static char block[PIPE_BUF];
  DO(pipe(ends));
  pid_t child[3];
  for (int c = 0; c < 3; ++c)
    if ((child[c] = fork()) == 0) {
      memset(block, 'a' + c, sizeof block);
      for (int i = 0; i < 40; ++i)
        if (write(ends[1], block, sizeof block) != sizeof block) _exit(1);
      _exit(0);
    }
  close(ends[1]);
  int blocks = 0, mixed = 0;
  for (;;) {
    size_t have = 0;
    ssize_t n = 0;
    if (blocks % 12 == 0) lab_point("read");
    while (have < sizeof block && (n = read(ends[0], block + have, sizeof block - have)) > 0) have += (size_t)n;
    if (n <= 0) break;
    for (size_t i = 1; i < sizeof block; ++i) mixed += block[i] != block[0];
    ++blocks;
  }
  SAY("%d blocks, %d mixed", blocks, mixed);
  for (int c = 0; c < 3; ++c) SAY("%d", ended(child[c]));
}
