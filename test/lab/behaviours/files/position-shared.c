// Descriptors made by dup and fork share their position and flags with the first; a file opened again has its own.
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "";
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "abcdefghij", 10));
  const int copy = DO(dup(fd)), own = DO(open("file", O_RDONLY));
  DO(lseek(copy, 2, SEEK_SET));
  DO(read(fd, text, 2));
  SAY("%s", text);
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("in the child");
    _exit(read(copy, text, 3) == 3 && text[0] == 'e' ? lseek(own, 5, SEEK_SET) : 99);
  }
  SAY("child %d", ended(child));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(lseek(own, 0, SEEK_CUR));
  DO(fcntl(copy, F_SETFL, O_APPEND | O_NONBLOCK));
  SAY("%d", (fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
  DO(fcntl(copy, F_SETFD, FD_CLOEXEC));
  DO(fcntl(fd, F_GETFD));
}
