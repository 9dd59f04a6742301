// pread and pwrite leave the position of the file alone.
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "";
  const int fd = DO(open("file", O_RDWR | O_CREAT | O_TRUNC, 0640));
  DO(write(fd, "0123456789", 10));
  DO(pread(fd, text, 4, 2));
  SAY("%s", text);
  DO(lseek(fd, 0, SEEK_CUR));
  DO(pwrite(fd, "abc", 3, 20));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(lseek(fd, 0, SEEK_END));
  DO(pread(fd, text, 4, 100));
  DO(pread(fd, text, 4, -1));
  DO(close(fd));
  DO(pread(fd, text, 4, 0));
}
