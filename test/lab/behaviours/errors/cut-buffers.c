// A buffer that ends where memory ends: a file gives and takes what there is room for, a pipe nothing of a piece that fails.
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  char *room = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *edge = room + 4096 - 4;
  int ends[2];
  DO(munmap(room + 4096, 4096));
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  memcpy(edge, "wxyz", 4);
  DO(write(fd, edge, 10));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(pwrite(fd, "0123456789", 10, 0));
  DO(pread(fd, edge, 10, 2));
  SAY("%.4s", edge);
  DO(read(fd, edge, 10));
  SAY("%.4s", edge);
  DO(lseek(fd, 0, SEEK_CUR));
  struct iovec parts[3] = {{room, 3}, {edge, 6}, {room, 3}};
  DO(preadv(fd, parts, 3, 0));
  SAY("%.3s %.4s", room, edge);
  DO(pwritev(fd, parts, 3, 10));
  DO(lseek(fd, 0, SEEK_END));
  DO(pipe(ends));
  DO(write(ends[1], edge, 10));
  DO(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  DO(read(ends[0], room, 100));
  DO(write(ends[1], "0123456789", 10));
  DO(read(ends[0], edge, 10));
  DO(read(ends[0], room, 100));
  SAY("%.10s", room);
}
