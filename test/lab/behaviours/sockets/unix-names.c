// Unix sockets: names in the file system, abstract names with zero bytes, and names the kernel gives.
#include "../../lab.h"
#include <stddef.h>

BEHAVIOUR {
  struct sockaddr_un un = {AF_UNIX, "socket"}, from;
  char text[8] = "";
  socklen_t length = sizeof un;
  int fd = DO(socket(AF_UNIX, SOCK_DGRAM, 0)), other = DO(socket(AF_UNIX, SOCK_DGRAM, 0));
  DO(bind(fd, (void *)&un, sizeof un));
  DO(bind(other, (void *)&un, sizeof un));
  DO(bind(fd, (void *)&un, sizeof un));
  DO(sendto(other, "hello", 5, 0, (void *)&un, sizeof un));
  memset(&from, 'z', sizeof from);
  length = sizeof from;
  DO(recvfrom(fd, text, sizeof text, 0, (void *)&from, &length));
  SAY("%s, length %d", text, (int)length);
  DO(bind(other, (void *)&un, 2));
  length = sizeof from;
  DO(getsockname(other, (void *)&from, &length));
  SAY("%d, first %d", (int)length, from.sun_path[0]);
  DO(sendto(other, "again", 5, 0, (void *)&un, sizeof un));
  length = 4;
  memset(&from, 'z', sizeof from);
  DO(recvfrom(fd, text, sizeof text, 0, (void *)&from, &length));
  SAY("length %d, %d %c", (int)length, from.sun_path[1] == 'z', from.sun_path[2]);
  const int third = socket(AF_UNIX, SOCK_DGRAM, 0), fourth = socket(AF_UNIX, SOCK_DGRAM, 0);
  memcpy(un.sun_path, "\0ab\0c", 5);
  DO(bind(third, (void *)&un, offsetof(struct sockaddr_un, sun_path) + 5));
  DO(connect(fourth, (void *)&un, offsetof(struct sockaddr_un, sun_path) + 3));
  DO(connect(fourth, (void *)&un, offsetof(struct sockaddr_un, sun_path) + 5));
  length = sizeof from;
  DO(getpeername(fourth, (void *)&from, &length));
  SAY("%d, %s", (int)length, from.sun_path + 1);
  DO(unlink("socket"));
  strcpy(un.sun_path, "socket");
  DO(sendto(other, "x", 1, 0, (void *)&un, sizeof un));
}
