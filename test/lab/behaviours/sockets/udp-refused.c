// A connected UDP socket learns that nobody listens, once, and the error queue tells it in full.
#include "../../lab.h"
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>

BEHAVIOUR {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, from;
  socklen_t length = sizeof where;
  char text[8], control[512];
  int on = 1;
  const int gone = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);
  bind(gone, (void *)&where, sizeof where);
  getsockname(gone, (void *)&where, &length);
  close(gone);
  DO(connect(fd, (void *)&where, sizeof where));
  DO(send(fd, "x", 1, 0));
  DO(recv(fd, text, 8, 0));
  DO(recv(fd, text, 8, MSG_DONTWAIT));
  DO(send(fd, "x", 1, 0));
  DO(send(fd, "y", 1, 0));
  DO(setsockopt(fd, SOL_IP, IP_RECVERR, &on, sizeof on));
  DO(recv(fd, text, 8, MSG_DONTWAIT));
  AT(send(fd, "abc", 3, 0));
  struct pollfd p = {fd, POLLIN, 0};
  DO(poll(&p, 1, 5000));
  SAY("%x", p.revents);
  struct iovec part = {text, sizeof text};
  struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  DO(recvmsg(fd, &m, MSG_ERRQUEUE));
  SAY("%.3s, from the same port: %d, flags %x", text, from.sin_port == where.sin_port, m.msg_flags);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
    if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) SAY("%s", lab_error((int)((struct sock_extended_err *)CMSG_DATA(c))->ee_errno));
  DO(recvmsg(fd, &m, MSG_ERRQUEUE));
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  DO(connect(fd, &none, sizeof none));
  DO(send(fd, "x", 1, 0));
}
