// With O_APPEND each write goes to the end, wherever the position is, pwrite's too; F_SETFL turns it on and off.
#include "../../lab.h"

BEHAVIOUR {
  char text[32] = "";
  const int fd = DO(open("file", O_RDWR | O_CREAT | O_APPEND, 0600)), other = DO(open("file", O_WRONLY));
  DO(write(fd, "one", 3));
  DO(lseek(fd, 0, SEEK_SET));
  DO(write(other, "ABCDE", 5));
  DO(write(fd, "two", 3));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(pwrite(fd, "three", 5, 0));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(fcntl(fd, F_SETFL, 0));
  DO(pwrite(fd, "x", 1, 0));
  DO(fcntl(other, F_SETFL, O_APPEND));
  DO(write(other, "end", 3));
  DO(pread(fd, text, sizeof text, 0));
  SAY("%s, append %d", text, (fcntl(other, F_GETFL) & O_APPEND) != 0);
}
