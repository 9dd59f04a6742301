// A program in an own network namespace has a loopback of its own that is down, and what it had open stays as it was.
#include "../../lab.h"
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>

BEHAVIOUR {
  int pair[2];
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  DO(unshare(CLONE_NEWNET));
  const int fd = DO(socket(AF_INET, SOCK_DGRAM, 0));
  struct ifreq query = {.ifr_name = "lo"};
  DO(ioctl(fd, SIOCGIFFLAGS, &query));
  SAY("up %d", query.ifr_flags & IFF_UP);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  DO(connect(fd, (struct sockaddr *)&to, sizeof to));
  query.ifr_flags |= IFF_UP;
  DO(ioctl(fd, SIOCSIFFLAGS, &query));
  DO(connect(fd, (struct sockaddr *)&to, sizeof to));
  DO((int)if_nametoindex("lo"));
  const pid_t child = FORK();
  if (child == 0) _exit(write(pair[1], "abc", 3) == 3 ? 3 : 4);
  char text[4] = "";
  DO(read(pair[0], text, 3));
  SAY("%s, child %d", text, ended(child));
}
