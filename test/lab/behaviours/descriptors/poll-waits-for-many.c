// poll of some hundred descriptors wakes for the one that another process writes to.
#include "../../lab.h"
#include <poll.h>

static int ends[200][2];
static void put(void) { if (write(ends[137][1], "x", 1) != 1) abort(); }

BEHAVIOUR {
  struct pollfd p[200];
  for (int i = 0; i < 200; ++i) {
    if (pipe(ends[i])) abort();
    p[i] = (struct pollfd){ends[i][0], POLLIN, 0};
  }
  const pid_t child = child_later(60, put);
  DO(poll(p, 200, 20000));
  for (int i = 0; i < 200; ++i) if (p[i].revents) SAY("%d: %x", i, p[i].revents);
  SAY("%d", ended(child));
  char c;
  DO(read(ends[137][0], &c, 1));
  LASTS(0.06, DO(poll(p, 200, 60)));
}
