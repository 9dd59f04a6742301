// fallocate: room with or without a new size, holes, zeros, and what is refused.
#include "../../lab.h"

static char text[20000];

BEHAVIOUR {
  struct stat is;
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8192));
  DO(fstat(fd, &is));
  SAY("size %ld", (long)is.st_size);
  DO(fallocate(fd, 0, 4096, 4096));
  DO(lseek(fd, 0, SEEK_END));
  memset(text, 'x', sizeof text);
  DO(pwrite(fd, text, sizeof text, 0));
  DO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4000, 8192));
  DO(pread(fd, text, sizeof text, 0));
  int zeros = 0;
  for (size_t i = 0; i < sizeof text; ++i) zeros += !text[i];
  SAY("%d zeros, %d %d", zeros, text[3999], text[12192]);
  DO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1));
  DO(fallocate(fd, 0, 0, 0));
  DO(fallocate(fd, 0, -1, 5));
  DO(fallocate(fd, 0, 0, -5));
  DO(fallocate(fd, 0x8000, 0, 5));
  DO(fallocate(fd, 0, INT64_MAX, 5));
  DO(fallocate(-1, 0, 0, 5));
  GIVES(posix_fallocate(fd, 30000, 10));
  DO(lseek(fd, 0, SEEK_END));
}
