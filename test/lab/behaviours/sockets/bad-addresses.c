// Bad pointers and lengths of messages are refused before anything is sent or lost.
#include "../../lab.h"

static void *volatile bad = (void *)8;

BEHAVIOUR {
  int s[2];
  char text[8] = "";
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s)) abort();
  struct iovec part = {text, 8};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, bad));
  DO(send(s[0], bad, 4, 0));
  DO(send(s[0], "abcd", 4, 0));
  DO(recvmsg(s[1], bad, MSG_DONTWAIT));
  part.iov_base = bad;
  m.msg_iovlen = 2000;
  DO(recvmsg(s[1], &m, MSG_DONTWAIT));
  DO(sendmsg(s[0], &m, 0));
  m.msg_iovlen = 1, part.iov_base = text, m.msg_control = bad, m.msg_controllen = 20;
  DO(sendmsg(s[0], &m, 0));
  m.msg_controllen = 2;
  DO(sendmsg(s[0], &m, MSG_DONTWAIT));
  m.msg_control = NULL, m.msg_controllen = 0, m.msg_name = bad, m.msg_namelen = 20;
  DO(sendmsg(s[0], &m, 0));
  m.msg_iov = bad, m.msg_name = NULL;
  DO(sendmsg(s[0], &m, 0));
  DO(bind(s[0], bad, 20));
  DO(bind(s[0], (void *)&m, 1000));
  DO(connect(s[0], bad, 20));
  DO(getsockname(s[0], (void *)text, bad));
  socklen_t length = 8;
  DO(getsockname(s[0], bad, &length));
  DO(recv(s[1], text, 8, MSG_DONTWAIT));
  SAY("%.4s", text);
  part = (struct iovec){text, (size_t)-1};
  m = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
  DO(sendmsg(s[0], &m, 0));
  DO(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, bad, 4));
}
