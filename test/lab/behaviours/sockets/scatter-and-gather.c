// Messages gathered from many places are scattered to many others, also empty ones, and tell where they are cut.
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  int s[2];
  char text[8][4], got[4][3];
  memset(got, '.', sizeof got);
  struct iovec from[8], to[4];
  for (int i = 0; i < 8; ++i) memset(text[i], 'a' + i, 4), from[i] = (struct iovec){text[i], (size_t)(i % 3)};
  for (int i = 0; i < 4; ++i) to[i] = (struct iovec){got[i], i == 1 ? 0 : 2};
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s)) abort();
  struct msghdr m = {.msg_iov = from, .msg_iovlen = 8}, r = {.msg_iov = to, .msg_iovlen = 4, .msg_flags = -1};
  DO(sendmsg(s[0], &m, 0));
  DO(recvmsg(s[1], &r, 0));
  SAY("%.12s, flags %x", (char *)got, r.msg_flags);
  m.msg_iovlen = 0;
  DO(sendmsg(s[0], &m, 0));
  DO(recvmsg(s[1], &r, 0));
  DO(writev(s[0], from, 4));
  DO(readv(s[1], to, 1));
  SAY("%.2s", got[0]);
  static struct iovec many[1024];
  for (int i = 0; i < 1024; ++i) many[i] = (struct iovec){text[i % 8], 4};
  DO(writev(s[0], many, 1024));
  static char all[5000];
  DO(recv(s[1], all, sizeof all, 0));
  SAY("%.9s", all + 4087);
  from[3] = (struct iovec){NULL, 0};
  DO(writev(s[0], from, 6));
  DO(recv(s[1], all, sizeof all, 0));
  DO(recv(s[1], all, sizeof all, MSG_DONTWAIT));
}
