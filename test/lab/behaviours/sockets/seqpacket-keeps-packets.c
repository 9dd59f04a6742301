// A seqpacket socket keeps packets apart, tells truncation, and ends with an empty read.
#include "../../lab.h"

BEHAVIOUR {
  int s[2];
  char text[16] = "";
  DO(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
  DO(send(s[0], "first packet", 12, 0));
  DO(send(s[0], "", 0, 0));
  DO(send(s[0], "third", 5, MSG_EOR));
  struct iovec part = {text, 5};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_flags = 77};
  DO(recvmsg(s[1], &m, 0));
  SAY("%s, flags %x", text, m.msg_flags & MSG_TRUNC);
  DO(recv(s[1], text, sizeof text, 0));
  DO(recv(s[1], text, 2, MSG_PEEK | MSG_TRUNC));
  DO(recvmsg(s[1], &m, 0));
  SAY("%s, flags %x", text, m.msg_flags & (MSG_TRUNC | MSG_EOR));
  DO(close(s[0]));
  DO(recv(s[1], text, sizeof text, 0));
  DO(send(s[1], "x", 1, MSG_NOSIGNAL));
  DO(socketpair(AF_UNIX, SOCK_RAW + 100, 0, s));
  DO(socketpair(AF_INET, SOCK_STREAM, 0, s));
}
