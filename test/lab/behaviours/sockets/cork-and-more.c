// What is corked, or sent with MSG_MORE, arrives together and whole.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

BEHAVIOUR {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof where;
  char text[32] = "";
  int on = 1, off = 0;
  const int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
  bind(in, (void *)&where, sizeof where);
  getsockname(in, (void *)&where, &length);
  DO(connect(out, (void *)&where, sizeof where));
  DO(send(out, "one ", 4, MSG_MORE));
  DO(send(out, "two ", 4, MSG_MORE));
  DO(send(out, "three", 5, 0));
  DO(recv(in, text, sizeof text, 0));
  SAY("%s", text);
  DO(setsockopt(out, IPPROTO_UDP, UDP_CORK, &on, sizeof on));
  DO(send(out, "corked ", 7, 0));
  DO(recv(in, text, sizeof text, MSG_DONTWAIT));
  DO(send(out, "packet", 6, 0));
  DO(setsockopt(out, IPPROTO_UDP, UDP_CORK, &off, sizeof off));
  DO(recv(in, text, sizeof text, 0));
  SAY("%s", text);
}
