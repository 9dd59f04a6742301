// A netlink socket tells the interfaces of the home-node, as if_nametoindex and getifaddrs do, and SIOCGIFCONF.
// home: ioctl
#include "../../lab.h"
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

BEHAVIOUR {
  HOLDS(if_nametoindex("lo") == 1);
  AT(SAY("%u", if_nametoindex("none")));
  char name[IF_NAMESIZE] = "";
  AT(if_indextoname(1, name));
  SAY("%s", name);
  struct ifaddrs *list = NULL;
  DO(getifaddrs(&list));
  int loops = 0;
  for (struct ifaddrs *i = list; i; i = i->ifa_next) loops += !strcmp(i->ifa_name, "lo") && i->ifa_addr && i->ifa_addr->sa_family == AF_INET;
  SAY("%d", loops);
  freeifaddrs(list);
  const int fd = DO(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct { struct nlmsghdr head; struct ifinfomsg info; } ask = {{sizeof ask, RTM_GETLINK, NLM_F_REQUEST, 7, 0}, {.ifi_index = 1}};
  DO(send(fd, &ask, sizeof ask, 0));
  static char answer[32768];
  AT(const ssize_t n = recv(fd, answer, sizeof answer, 0); HOLDS(n > 100));
  const struct nlmsghdr *head = (const void *)answer;
  SAY("%d %d", head->nlmsg_type == RTM_NEWLINK, (int)head->nlmsg_seq);
  struct ifreq request = {.ifr_name = "lo"};
  DO(ioctl(fd, SIOCGIFMTU, &request));
  SAY("%d", request.ifr_mtu);
  // The list of those with addresses, as older programs ask for it: how much it is, a part, all.
  static struct ifreq room[64];
  struct ifconf conf = {.ifc_len = 0};
  const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  DO(ioctl(datagrams, SIOCGIFCONF, &conf));
  HOLDS(conf.ifc_len >= (int)sizeof room[0] && conf.ifc_len % (int)sizeof room[0] == 0);
  conf = (struct ifconf){.ifc_len = sizeof room[0] + 7, .ifc_buf = (char *)room};
  DO(ioctl(datagrams, SIOCGIFCONF, &conf));
  SAY("%d %s %d", conf.ifc_len, room[0].ifr_name, room[1].ifr_name[0]);
  conf = (struct ifconf){.ifc_len = sizeof room, .ifc_buf = (char *)room};
  DO(ioctl(datagrams, SIOCGIFCONF, &conf));
  for (int i = 0; i < conf.ifc_len / (int)sizeof room[0]; ++i) SAY("%s %08x", room[i].ifr_name, ((struct sockaddr_in *)&room[i].ifr_addr)->sin_addr.s_addr);
  conf.ifc_buf = NULL, conf.ifc_len = -40;
  DO(ioctl(datagrams, SIOCGIFCONF, &conf));
  conf = (struct ifconf){.ifc_len = 80, .ifc_buf = (char *)16};
  DO(ioctl(datagrams, SIOCGIFCONF, &conf));
  DO(ioctl(datagrams, SIOCGIFCONF, NULL));
  struct sockaddr_nl own = {0};
  socklen_t length = sizeof own;
  DO(getsockname(fd, (void *)&own, &length));
  HOLDS(own.nl_family == AF_NETLINK && length == sizeof own);
}
