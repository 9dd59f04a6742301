// A send that waits for room ends with EINTR, or with what it has sent so far; with SA_RESTART and nothing sent it goes on.
#include "../../interrupts.h"

static int ends[2];
static char block[300000];
static void take(void) {
  for (int flags = 0; recv(ends[0], block, sizeof block, flags) > 0;) flags = MSG_DONTWAIT;
}

BEHAVIOUR {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends)) abort();
  int size = 20000;
  DO(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
  while (send(ends[1], block, 10000, MSG_DONTWAIT) > 0) continue;
  struct iovec vector = {block, 10000};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  INTERRUPTED(send(ends[1], block, 10000, 0));
  INTERRUPTED(sendmsg(ends[1], &message, 0));
  RESTARTED(take, send(ends[1], block, 10000, 0));
}
