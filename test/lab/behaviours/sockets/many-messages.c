// sendmmsg and recvmmsg take many messages in one call, tell the length of each, and how many went before an error.
#include "../../lab.h"

BEHAVIOUR {
  int s[2];
  char text[5][8] = {"one", "three", "fiveee", "", "last"}, got[6][4];
  struct iovec in[5], out[6];
  struct mmsghdr m[6] = {0}, r[6] = {0};
  DO(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
  for (int i = 0; i < 5; ++i) {
    in[i] = (struct iovec){text[i], strlen(text[i])};
    m[i].msg_hdr.msg_iov = &in[i], m[i].msg_hdr.msg_iovlen = 1;
  }
  for (int i = 0; i < 6; ++i) {
    out[i] = (struct iovec){got[i], 4};
    r[i].msg_hdr.msg_iov = &out[i], r[i].msg_hdr.msg_iovlen = 1;
    r[i].msg_len = 99;
  }
  DO(sendmmsg(s[0], m, 5, 0));
  for (int i = 0; i < 5; ++i) SAY("%u", m[i].msg_len);
  DO(recvmmsg(s[1], r, 2, 0, NULL));
  DO(recvmmsg(s[1], r + 2, 4, MSG_WAITFORONE, NULL));
  for (int i = 0; i < 6; ++i) SAY("%u %x", r[i].msg_len, r[i].msg_hdr.msg_flags & MSG_TRUNC);
  struct iovec bad = {(void *)8, 4};
  m[2].msg_hdr.msg_iov = &bad;
  DO(sendmmsg(s[0], m, 5, 0));
  DO(sendmmsg(s[0], m + 2, 3, 0));
  DO(recvmmsg(s[1], r, 6, MSG_DONTWAIT, NULL));
  DO(recvmmsg(s[1], r, 6, MSG_DONTWAIT, NULL));
  DO(sendmmsg(s[0], m, 0, 0));
  DO(sendmmsg(777, m, 2, 0));
  struct timespec t = {-1, 0};
  DO(recvmmsg(s[1], r, 1, 0, &t));
  t = (struct timespec){5, 0};
  AT(sendmmsg(s[0], m, 2, 0));
  DO(recvmmsg(s[1], r, 2, 0, &t));
  HOLDS(t.tv_sec <= 5 && t.tv_sec >= 3);
}
