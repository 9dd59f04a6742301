// Peeking leaves the data, MSG_DONTWAIT does not wait, MSG_TRUNC tells the whole length, MSG_WAITALL waits for all.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static int pair[2];
static void put_twice(void) {
  for (int i = 0; i < 2; ++i) {
    if (send(pair[1], "12345", 5, 0) != 5) abort();
    sleep_ms(50);
  }
}
static void put_and_end(void) {
  if (send(pair[1], "abc", 3, 0) != 3) abort();
  sleep_ms(50);
  shutdown(pair[1], SHUT_WR);
}

BEHAVIOUR {
  char text[32] = "";
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) abort();
  DO(recv(pair[0], text, 5, MSG_DONTWAIT));
  DO(send(pair[1], "stream", 6, 0));
  DO(recv(pair[0], text, 3, MSG_PEEK));
  DO(recv(pair[0], text, 32, 0));
  SAY("%s", text);
  pthread_t other = later(60, put_twice);
  DO(recv(pair[0], text, 10, MSG_WAITALL));
  SAY("%.10s", text);
  pthread_join(other, NULL);
  other = later(60, put_and_end);
  DO(recv(pair[0], text, 10, MSG_WAITALL));
  SAY("%.4s", text);
  pthread_join(other, NULL);
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof where;
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  bind(udp, (void *)&where, sizeof where);
  getsockname(udp, (void *)&where, &length);
  DO(sendto(udp, "a datagram", 10, 0, (void *)&where, sizeof where));
  DO(recv(udp, text, 4, MSG_TRUNC | MSG_PEEK));
  DO(recv(udp, text, 0, MSG_PEEK));
  DO(recv(udp, text, 4, 0));
  DO(recv(udp, text, 4, MSG_DONTWAIT));
  DO(sendto(udp, text, 0, 0, (void *)&where, sizeof where));
  DO(recv(udp, text, 4, 0));
  static char large[70000];
  DO(sendto(udp, large, 70000, 0, (void *)&where, sizeof where));
  DO(recv(pair[0], text, 1, MSG_OOB));
}
