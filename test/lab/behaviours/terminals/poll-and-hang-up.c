// poll of a terminal tells of input, of room for output, and of the hang-up when the other end is closed.
#include "../../lab.h"
#include <poll.h>
#include <pty.h>

static int master, slave;
static void type(void) { if (write(master, "x\n", 2) != 2) abort(); }
static void shut(void) { close(slave); }

BEHAVIOUR {
  char text[64];
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  struct pollfd poll_it = {.fd = slave, .events = POLLIN | POLLPRI};
  DO(poll(&poll_it, 1, 20));
  pthread_t other = later(60, type);
  DO(poll(&poll_it, 1, -1));
  SAY("%x", poll_it.revents);
  pthread_join(other, NULL);
  poll_it.events = POLLIN | POLLOUT;
  DO(poll(&poll_it, 1, -1));
  SAY("%x", poll_it.revents);
  DO(read(slave, text, sizeof text));
  poll_it.fd = master;
  poll_it.events = POLLIN;
  DO(poll(&poll_it, 1, -1));
  DO(read(master, text, sizeof text));
  other = later(60, shut);
  DO(poll(&poll_it, 1, -1));
  SAY("%x", poll_it.revents);
  pthread_join(other, NULL);
  DO(read(master, text, sizeof text));
}
