// A receive of a socket with SO_RCVLOWAT ends when so much has come, however it comes. (Of TCP, Linux takes nothing until all of it has.)
#include "../../lab.h"
#include <sys/uio.h>

enum { MARK = 24 };
static int from, to;

static void drip(void) {
  for (char c = 'a'; c < 'a' + MARK; ++c) {
    if (write(to, &c, 1) != 1) _exit(8);
    sleep_ms(12);
  }
  _exit(7);
}

#define DRIPPED(call)                          \
  do {                                         \
    const pid_t child = child_later(0, drip);  \
    memset(text, 0, sizeof text);              \
    DO(call);                                  \
    SAY("%s, the writer: %d", text, ended(child)); \
  } while (0)

BEHAVIOUR {
  int ends[2], mark = MARK;
  char text[64];
  struct iovec rooms[3] = {{text, 5}, {text + 5, 11}, {text + 16, 40}};
  struct msghdr message = {.msg_iov = rooms, .msg_iovlen = 3};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) abort();
  from = ends[0], to = ends[1];
  DO(setsockopt(from, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark));
  DRIPPED(recv(from, text, 60, 0));
  DRIPPED(read(from, text, 60));
  DRIPPED(readv(from, rooms, 3));
  DRIPPED(recvmsg(from, &message, 0));
}
