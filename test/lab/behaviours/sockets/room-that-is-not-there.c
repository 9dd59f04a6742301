// A length of an address or an option that is larger than what is behind the pointer harms nobody: the kernel fills what it has, and tells how much that is.
#include "../../lab.h"
#include <netinet/in.h>

static socklen_t room;

static socklen_t *anything(void) {
  room = 0x7ffd;                                            // as a variable that was never set may have
  return &room;
}

BEHAVIOUR {
  const int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  bind(listener, (void *)&at, sizeof at);
  listen(listener, 4);
  getsockname(listener, (void *)&at, &length);
  connect(client, (void *)&at, sizeof at);
  // The last bytes of a page, with nothing behind it.
  char *end = (char *)mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4096;
  munmap(end, 4096);
  struct sockaddr *from = (struct sockaddr *)(end - sizeof(struct sockaddr_in));
  const int server = TRY(accept(listener, from, anything()));
  SAY("%u of family %d", room, from->sa_family);
  int *error = (int *)(end - sizeof *error);
  DO(getsockopt(client, SOL_SOCKET, SO_ERROR, error, anything()));
  SAY("%d, %u", *error, room);
  DO(getpeername(server, from, anything()));
  SAY("%u of family %d", room, from->sa_family);
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  at.sin_port = 0;
  bind(udp, (void *)&at, sizeof at);
  length = sizeof at;
  getsockname(udp, (void *)&at, &length);
  struct {
    struct sockaddr_in from;
    char text[64], rest[40000];
  } got;
  memset(&got, '.', sizeof got);
  sendto(udp, "hello", 6, 0, (void *)&at, sizeof at);
  DO(recvfrom(udp, got.text, sizeof got.text, 0, (void *)&got.from, anything()));
  SAY("%s, %u, %c", got.text, room, got.rest[0]);
  // Too little room is told of by what would have been.
  length = 4;
  memset(from, 0, sizeof(struct sockaddr_in));
  DO(getpeername(server, from, &length));
  SAY("%u, family %d, address %x", length, from->sa_family, ((struct sockaddr_in *)from)->sin_addr.s_addr);
}
