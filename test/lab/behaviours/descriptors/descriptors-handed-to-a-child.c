// A child shares position and flags of the files it inherits; what it closes or opens is its own affair.
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "";
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  DO(write(fd, "0123456789", 10));
  DO(lseek(fd, 2, SEEK_SET));
  const pid_t child = FORK();
  if (child == 0) {
    char own[4] = "";
    AT(if (read(fd, own, 3) != 3) _exit(1));
    fcntl(fd, F_SETFL, O_APPEND);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    lab_point("close");
    close(fd);
    const int next = open("/dev/null", O_RDONLY);
    SAY("child: %s, %d", own, next == fd);
    _exit(0);
  }
  SAY("%d", ended(child));
  DO(read(fd, text, 2));
  SAY("%s", text);
  HOLDS(fcntl(fd, F_GETFL) & O_APPEND);
  DO(fcntl(fd, F_GETFD));
}
