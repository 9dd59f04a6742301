// Parent and child share the position of a file opened before the fork, its flags too, but not the flag close-on-exec.
#include "../../lab.h"

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "0123456789", 10));
  DO(lseek(fd, 2, SEEK_SET));
  const pid_t child = FORK();
  if (child == 0) {
    char text[3];
    lab_point("read");
    if (read(fd, text, 3) != 3 || fcntl(fd, F_SETFL, O_APPEND) || fcntl(fd, F_SETFD, FD_CLOEXEC)) _exit(1);
    _exit(0);
  }
  SAY("child %d", ended(child));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(fcntl(fd, F_GETFL) & O_APPEND);
  DO(fcntl(fd, F_GETFD));
  DO(write(fd, "+", 1));
  DO(lseek(fd, 0, SEEK_CUR));
}
