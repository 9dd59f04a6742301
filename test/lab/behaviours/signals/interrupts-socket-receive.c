// recv, recvfrom, recvmsg and read of a socket end with EINTR at a handler without SA_RESTART, and go on after one with it.
#include "../../interrupts.h"

static int ends[2];
static void put(void) { if (write(ends[1], "late", 4) != 4) abort(); }

BEHAVIOUR {
  char text[16] = "";
  struct iovec vector = {text, sizeof text};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) abort();
  INTERRUPTED(recv(ends[0], text, sizeof text, 0));
  RESTARTED(put, recv(ends[0], text, sizeof text, 0));
  INTERRUPTED(recvmsg(ends[0], &message, 0));
  RESTARTED(put, recvmsg(ends[0], &message, 0));
  INTERRUPTED(read(ends[0], text, sizeof text));
  RESTARTED(put, recvfrom(ends[0], text, sizeof text, 0, NULL, NULL));
  RESTARTED(put, recv(ends[0], text, 4, MSG_WAITALL));
}
