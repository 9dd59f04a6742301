// getaddrinfo and getnameinfo find what /etc/hosts and /etc/services say, and what is a number.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netdb.h>

static void look(const char *name, const char *service, struct addrinfo hints) {
  struct addrinfo *list = NULL;
  lab_point(name);
  const int error = getaddrinfo(name, service, &hints, &list);
  if (error) return SAY("%s: %s", name, gai_strerror(error));
  char text[64] = "", port[32] = "", host[64] = "";
  getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, port, sizeof port, NI_NUMERICHOST);
  getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, NULL, 0, 0);
  SAY("%s: %s %s %s", name, text, port, host);
  freeaddrinfo(list);
}

BEHAVIOUR {
  look("localhost", "http", (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_STREAM});
  look("127.0.0.1", "22", (struct addrinfo){.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM});
  look("::1", "53", (struct addrinfo){.ai_family = AF_INET6, .ai_socktype = SOCK_DGRAM});
  look("not a number", "1", (struct addrinfo){.ai_flags = AI_NUMERICHOST});
  look("localhost", "no-such-service", (struct addrinfo){.ai_socktype = SOCK_STREAM});
  AT(struct servent *entry = getservbyname("https", "tcp"); SAY("%d", entry ? ntohs((uint16_t)entry->s_port) : -1));
  AT(struct protoent *protocol = getprotobyname("udp"); SAY("%d", protocol ? protocol->p_proto : -1));
}
