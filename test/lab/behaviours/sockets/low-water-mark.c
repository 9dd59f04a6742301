// With SO_RCVLOWAT a TCP reader wakes only when so much is there.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

static int out;
static void put(void) {
  if (write(out, "abc", 3) != 3) abort();
  sleep_ms(80);
  if (write(out, "def", 3) != 3) abort();
}

BEHAVIOUR {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof where;
  char text[16] = "";
  int mark = 6;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  out = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (void *)&where, sizeof where), listen(listener, 1);
  getsockname(listener, (void *)&where, &length);
  if (connect(out, (void *)&where, sizeof where)) abort();
  const int in = accept(listener, NULL, NULL);
  DO(setsockopt(in, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark));
  pthread_t other = later(30, put);
  struct pollfd p = {in, POLLIN, 0};
  DO(poll(&p, 1, 10000));
  DO(recv(in, text, 16, 0));
  SAY("%s", text);
  pthread_join(other, NULL);
}
