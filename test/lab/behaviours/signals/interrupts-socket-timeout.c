// A receive or an accept with SO_RCVTIMEO ends with EINTR even where the handler has SA_RESTART.
#include "../../interrupts.h"

static int ends[2];
static void put(void) { if (write(ends[1], "late", 4) != 4) abort(); }
static void nothing(void) {}

BEHAVIOUR {
  char text[16] = "";
  struct timeval time = {5, 0};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) abort();
  DO(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
  INTERRUPTED(recv(ends[0], text, sizeof text, 0));
  RESTARTED(put, recv(ends[0], text, sizeof text, 0));
  DO(recv(ends[0], text, sizeof text, 0));
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr *)&name, sizeof(sa_family_t)) || listen(server, 1)) abort();
  DO(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
  RESTARTED(nothing, accept(server, NULL, NULL));
}
