// A TCP connection over loopback: accept waits for the client, data goes both ways, the end of each direction is seen, addresses are told.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static struct sockaddr_in where;
static void client(void) {
  char text[8];
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void *)&where, sizeof where) || read(fd, text, 5) != 5 || write(fd, "answer", 6) != 6) abort();
  shutdown(fd, SHUT_WR);
  sleep_ms(300);
  close(fd);
}

BEHAVIOUR {
  char text[32] = "";
  struct sockaddr_in from;
  socklen_t length = sizeof where;
  const int fd = DO(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  where = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  DO(bind(fd, (void *)&where, sizeof where));
  DO(listen(fd, 3));
  DO(getsockname(fd, (void *)&where, &length));
  SAY("%d %s", (int)length, inet_ntoa(where.sin_addr));
  const pid_t child = child_later(60, client);
  length = sizeof from;
  const int peer = TRY(accept4(fd, (void *)&from, &length, SOCK_CLOEXEC));
  SAY("%d %s", (int)length, inet_ntoa(from.sin_addr));
  DO(fcntl(peer, F_GETFD));
  struct sockaddr_in other;
  AT(getpeername(peer, (void *)&other, &length));
  HOLDS(other.sin_port == from.sin_port);
  DO(write(peer, "hello", 5));
  DO(recv(peer, text, 6, MSG_WAITALL));
  SAY("%s", text);
  DO(read(peer, text, sizeof text));
  SAY("%d", ended(child));
  DO(close(peer));
  AT(length = 3);
  DO(getsockname(fd, (void *)&from, &length));
  SAY("%d", (int)length);
}
