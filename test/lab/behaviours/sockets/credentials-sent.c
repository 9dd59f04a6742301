// The kernel tells who is at the other end, and who sent a message.
#include "../../lab.h"

BEHAVIOUR {
  int s[2], on = 1;
  struct ucred peer = {0}, *sent;
  socklen_t length = sizeof peer;
  char control[CMSG_SPACE(sizeof peer)], text[8];
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  DO(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, &length));
  HOLDS(peer.pid == getpid() && peer.uid == getuid() && length == sizeof peer);
  DO(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  const pid_t child = FORK();
  if (child == 0) {
    AT(if (write(s[0], "child", 5) != 5) abort());
    _exit(0);
  }
  struct iovec part = {text, sizeof text};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  DO(recvmsg(s[1], &m, 0));
  sent = (struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&m));
  HOLDS(CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS && sent->pid == child && sent->gid == getgid());
  SAY("%d", ended(child));
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  sent->pid = getpid(), sent->uid = 12345;
  m.msg_controllen = c->cmsg_len = CMSG_LEN(sizeof *sent);
  part.iov_len = 1;
  DO(sendmsg(s[0], &m, 0));
  m.msg_controllen = sizeof control;
  DO(recvmsg(s[1], &m, 0));
  SAY("%d", (int)((struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&m)))->uid);
  c->cmsg_len = 4;
  DO(sendmsg(s[0], &m, 0));
}
