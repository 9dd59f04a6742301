// O_DIRECT takes buffers that are aligned, and the bytes are there.
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  char *room = mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int fd = DO(open("file", O_RDWR | O_CREAT | O_DIRECT, 0600));
  if (fd < 0) return;
  for (int i = 0; i < 8192; ++i) room[i] = (char)(i * 13);
  DO(write(fd, room, 8192));
  DO(pread(fd, room + 8192, 8192, 0));
  DO(memcmp(room, room + 8192, 8192));
  DO(pread(fd, room + 16384, 4096, 4096));
  DO(memcmp(room + 4096, room + 16384, 4096));
  DO(pread(fd, room + 16384 + 512, 512, 512));
  struct iovec parts[2] = {{room + 20480, 4096}, {room + 16384, 4096}};
  DO(preadv(fd, parts, 2, 0));
  DO(memcmp(room, room + 20480, 4096));
  DO(pwritev(fd, parts, 2, 8192));
  DO(pread(fd, room + 16384, 100, 0));
  DO(pread(fd, room + 16384, 4096, 100));
  DO(pread(fd, room + 16384 + 8, 4096, 0));
  DO(pwrite(fd, room + 24, 4096, 0));
}
