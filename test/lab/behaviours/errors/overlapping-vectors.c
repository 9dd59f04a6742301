// Buffers of one call may overlap: they are filled one after another.
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  char room[16] = "";
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "abcdefghij", 10));
  struct iovec parts[3] = {{room, 6}, {room + 2, 3}, {room, 1}};
  DO(preadv(fd, parts, 3, 0));
  SAY("%s", room);
  DO(pwritev(fd, parts, 3, 0));
  memset(room, 0, sizeof room);
  DO(pread(fd, room, 10, 0));
  SAY("%s", room);
  struct iovec *list = (struct iovec *)room;            // the list itself is written over
  *list = (struct iovec){room, 8};
  DO(preadv(fd, list, 1, 2));
  SAY("%.8s", room);
}
