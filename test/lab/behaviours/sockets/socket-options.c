// Options are set and told with their lengths: too short, too long, unknown, of another protocol.
#include "../../lab.h"
#include <netinet/in.h>
#include <netinet/tcp.h>

static int fd;
static void get(const char *name, int level, int option, socklen_t room) {
  unsigned char value[16];
  memset(value, 0xee, sizeof value);
  socklen_t length = room;
  lab_point(name);
  const int result = getsockopt(fd, level, option, value, &length);
  int number;
  memcpy(&number, value, 4);
  SAY("%s: %d %s, length %d, %x, then %x", name, result, result ? lab_error(errno) : "", (int)length, (unsigned)number, value[4]);
}

BEHAVIOUR {
  int one = 1, seven = 7;
  fd = DO(socket(AF_INET, SOCK_STREAM, 0));
  get("TYPE", SOL_SOCKET, SO_TYPE, 4);
  get("TYPE in two bytes", SOL_SOCKET, SO_TYPE, 2);
  get("TYPE in sixteen", SOL_SOCKET, SO_TYPE, 16);
  get("TYPE in none", SOL_SOCKET, SO_TYPE, 0);
  DO(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
  get("NODELAY", IPPROTO_TCP, TCP_NODELAY, 4);
  DO(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seven, sizeof seven));
  get("KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 4);
  get("CONGESTION", IPPROTO_TCP, TCP_CONGESTION, 16);
  DO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, 1));
  DO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, 4));
  DO(setsockopt(fd, SOL_SOCKET, 9999, &one, 4));
  DO(setsockopt(fd, 9999, 1, &one, 4));
  get("unknown", SOL_SOCKET, 9999, 4);
  struct linger linger = {1, 3};
  DO(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  get("LINGER", SOL_SOCKET, SO_LINGER, 8);
  DO(setsockopt(fd, IPPROTO_IP, IP_TTL, &seven, sizeof seven));
  get("TTL", IPPROTO_IP, IP_TTL, 4);
  DO(getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, NULL));
}
