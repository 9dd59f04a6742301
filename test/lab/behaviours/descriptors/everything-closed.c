// A program that closes every number it can think of, as daemons do, goes on, and gets low numbers again.
#include "../../lab.h"

BEHAVIOUR {
  int ends[2];
  AT(for (int fd = 3; fd < 900; ++fd) close(fd));
  DO(pipe(ends));
  SAY("%d %d", ends[0], ends[1]);
  int closed = 0;
  AT(for (int fd = 3; fd < 70000; ++fd) closed += close(fd) == 0 && fd < 900);
  SAY("%d", closed);
  DO(pipe(ends));
  SAY("%d %d", ends[0], ends[1]);
  AT(for (int fd = 5; fd < 899; ++fd) dup2(1, fd));
  DO(dup(1) >= 899);
  DO(write(700, "still here\n", 11));
}
