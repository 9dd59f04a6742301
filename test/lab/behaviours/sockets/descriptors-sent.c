// Descriptors that are sent over a socket are the same open files; too little room for them tells MSG_CTRUNC and leaks none.
#include "../../lab.h"

static ssize_t pass(int to, const int *fds, int n) {
  char control[CMSG_SPACE(sizeof(int) * 8)] = "", byte = 'd';
  struct iovec part = {&byte, 1};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n)};
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
  memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)n);
  return sendmsg(to, &m, 0);
}
static int take(int from, int *fds, size_t room, int flags) {
  char control[256], byte;
  struct iovec part = {&byte, 1};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
  if (recvmsg(from, &m, flags) != 1) return -1;
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  const int n = c ? (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
  if (n) memcpy(fds, CMSG_DATA(c), sizeof(int) * (size_t)n);
  SAY("%d descriptors, flags %x, room %d", n, m.msg_flags & MSG_CTRUNC, (int)m.msg_controllen);
  return n;
}

BEHAVIOUR {
  int s[2], sent[3], got[8] = {0};
  char text[8] = "";
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, s)) abort();
  sent[0] = open("file", O_RDWR | O_CREAT, 0600), sent[1] = open("/dev/null", O_RDONLY), sent[2] = dup(1);
  DO(write(sent[0], "0123456789", 10));
  DO(pass(s[0], sent, 3));
  DO(close(sent[0]));
  DO(take(s[1], got, CMSG_SPACE(3 * sizeof(int)), MSG_CMSG_CLOEXEC));
  DO(fcntl(got[0], F_GETFD));
  DO(lseek(got[0], 4, SEEK_SET));
  DO(read(got[0], text, 3));
  SAY("%s", text);
  DO(write(got[2], "to the same output\n", 19));
  DO(pass(s[0], got, 3));
  DO(take(s[1], got + 3, CMSG_SPACE(sizeof(int)), 0));
  DO(pass(s[0], got, 1));
  DO(take(s[1], got + 3, 0, 0));
  got[0] = 777;
  DO(pass(s[0], got, 1));
  DO(dup(1));
}
