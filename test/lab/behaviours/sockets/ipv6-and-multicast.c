// IPv6 over loopback, with addresses of its length; multicast comes back to who joined.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>

BEHAVIOUR {
  struct sockaddr_in6 where = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, from;
  socklen_t length = sizeof where;
  char text[64] = "", control[128];
  int on = 1;
  const int fd = DO(socket(AF_INET6, SOCK_DGRAM, 0));
  DO(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on));
  DO(bind(fd, (void *)&where, sizeof where));
  DO(getsockname(fd, (void *)&where, &length));
  SAY("%d", (int)length);
  DO(sendto(fd, "six", 3, 0, (void *)&where, sizeof where));
  struct iovec part = {text, sizeof text};
  struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  DO(recvmsg(fd, &m, 0));
  const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  SAY("%s %d, about %d %d", text, (int)m.msg_namelen, c ? c->cmsg_level : -1, c ? c->cmsg_type : -1);
  inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text);
  SAY("%s %d", text, from.sin6_port == where.sin6_port);
  const int four = DO(socket(AF_INET, SOCK_DGRAM, 0));
  struct sockaddr_in group = {.sin_family = AF_INET, .sin_addr = {inet_addr("239.1.2.3")}, .sin_port = htons(20123)};
  struct ip_mreqn join = {group.sin_addr, {htonl(INADDR_LOOPBACK)}, 1};
  DO(bind(four, (void *)&group, sizeof group));
  DO(setsockopt(four, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join));
  DO(setsockopt(four, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join));
  DO(setsockopt(four, IPPROTO_IP, IP_MULTICAST_IF, &join, sizeof join));
  DO(sendto(four, "many", 4, 0, (void *)&group, sizeof group));
  memset(text, 0, sizeof text);
  DO(recv(four, text, sizeof text, 0));
  SAY("%s", text);
  DO(setsockopt(four, IPPROTO_IP, IP_DROP_MEMBERSHIP, &join, sizeof join));
}
