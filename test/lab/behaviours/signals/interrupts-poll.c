// poll, ppoll, select and pselect end with EINTR at any handler, SA_RESTART or not, and leave the sets of descriptors alone.
#include "../../interrupts.h"
#include <poll.h>
#include <sys/select.h>

static int ends[2];
static void put(void) { if (write(ends[1], "x", 1) != 1) abort(); }

BEHAVIOUR {
  DO(pipe(ends));
  struct pollfd one = {ends[0], POLLIN, 77};
  struct timespec time = {5, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  INTERRUPTED(poll(&one, 1, -1));
  INTERRUPTED(poll(&one, 1, 5000));
  INTERRUPTED(ppoll(&one, 1, &time, NULL));
  SAY("revents %d", one.revents);
  INTERRUPTED(select(ends[0] + 1, &set, NULL, NULL, NULL));
  INTERRUPTED(pselect(ends[0] + 1, &set, NULL, NULL, &time, NULL));
  SAY("in the set %d", FD_ISSET(ends[0], &set));
  RESTARTED(put, poll(&one, 1, -1));
  RESTARTED(put, select(ends[1] + 1, NULL, NULL, &set, NULL));
  DO(poll(&one, 1, 0));
  SAY("revents %d", one.revents);
}
