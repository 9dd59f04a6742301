// A write to a full pipe ends with EINTR; one that has written a part ends with the part, also where the handler has SA_RESTART.
#include "../../interrupts.h"

static int ends[2];
static char block[300000];
static void take(void) { if (read(ends[0], block, 4096) != 4096) abort(); }

BEHAVIOUR {
  DO(pipe(ends));
  DO(fcntl(ends[1], F_SETPIPE_SZ, 65536));
  INTERRUPTED(write(ends[1], block, 100000));
  INTERRUPTED(write(ends[1], block, 4096));
  RESTARTED(take, write(ends[1], block, 4096));
  RESTARTED(take, write(ends[1], block, 1));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  while (read(ends[0], block, sizeof block) > 0) continue;
  fcntl(ends[0], F_SETFL, 0);
  RESTARTED(take, write(ends[1], block, 200000));
}
