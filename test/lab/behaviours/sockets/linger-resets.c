// Closing with SO_LINGER of zero seconds resets the connection: the peer sees ECONNRESET.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>

BEHAVIOUR {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof where;
  struct linger now = {1, 0};
  char text[4];
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (void *)&where, sizeof where), listen(listener, 4);
  getsockname(listener, (void *)&where, &length);
  for (int i = 0; i < 2; ++i) {
    const int out = DO(socket(AF_INET, SOCK_STREAM, 0));
    DO(connect(out, (void *)&where, sizeof where));
    const int in = TRY(accept(listener, NULL, NULL));
    if (i == 0) DO(setsockopt(out, SOL_SOCKET, SO_LINGER, &now, sizeof now));
    DO(close(out));
    DO(read(in, text, 4));
    DO(read(in, text, 4));
    DO(send(in, "x", 1, MSG_NOSIGNAL));
    close(in);
  }
}
