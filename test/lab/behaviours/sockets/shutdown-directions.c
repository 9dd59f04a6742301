// shutdown ends one direction for both sides, and wakes who waits there.
#include "../../lab.h"
#include <poll.h>

static int s[2];
static void end_reading(void) { shutdown(s[0], SHUT_RD); }

BEHAVIOUR {
  char text[8] = "";
  signal(SIGPIPE, SIG_IGN);
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  DO(write(s[1], "left", 4));
  DO(shutdown(s[1], SHUT_WR));
  struct pollfd p = {s[0], POLLIN | POLLOUT | POLLRDHUP, 0};
  DO(poll(&p, 1, 0));
  SAY("%x", p.revents);
  DO(read(s[0], text, 8));
  DO(read(s[0], text, 8));
  DO(write(s[1], "x", 1));
  DO(write(s[0], "back", 4));
  DO(read(s[1], text, 8));
  DO(shutdown(s[0], SHUT_RDWR));
  DO(poll(&p, 1, 0));
  SAY("%x", p.revents);
  DO(shutdown(s[0], 7));
  close(s[0]), close(s[1]);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, s)) abort();
  const pthread_t other = later(60, end_reading);
  DO(read(s[0], text, 8));
  pthread_join(other, NULL);
  DO(write(s[1], "x", 1));
  DO(shutdown(0x7fff, SHUT_RD));
}
