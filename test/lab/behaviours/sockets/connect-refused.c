// Where nobody listens a connection is refused, at once or, not blocking, when it is asked for; a socket in use says so.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

BEHAVIOUR {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof where;
  int error = -1;
  const int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), late = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  bind(listener, (void *)&where, sizeof where);
  getsockname(listener, (void *)&where, &length);
  DO(connect(fd, (void *)&where, sizeof where));
  DO(connect(late, (void *)&where, sizeof where));
  struct pollfd p = {late, POLLOUT, 0};
  DO(poll(&p, 1, 5000));
  SAY("%x", p.revents);
  length = sizeof error;
  DO(getsockopt(late, SOL_SOCKET, SO_ERROR, &error, &length));
  SAY("%s", lab_error(error));
  DO(getsockopt(late, SOL_SOCKET, SO_ERROR, &error, &length));
  SAY("%d", error);
  DO(listen(listener, 1));
  DO(connect(fd, (void *)&where, sizeof where));
  DO(connect(fd, (void *)&where, sizeof where));
  DO(bind(late, (void *)&where, sizeof where));
  DO(connect(late, (void *)&where, 3));
  DO(connect(0x7fff, (void *)&where, sizeof where));
  DO(connect(1, (void *)&where, sizeof where));
  const int unix_one = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un un = {AF_UNIX, "none"};
  DO(connect(unix_one, (void *)&un, sizeof un));
  DO(accept(fd, NULL, NULL));
  DO(send(late, "x", 1, MSG_NOSIGNAL));
}
