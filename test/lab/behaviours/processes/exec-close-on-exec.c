// Descriptors with close-on-exec are gone after an exec, also from their epoll sets and locks; the others are there at their positions.
#include "../../lab.h"
#include <sys/file.h>

BEHAVIOUR {
  if (lab_argc > 1) {
    char text[4] = "";
    DO(fcntl(50, F_GETFD));
    DO(fcntl(51, F_GETFD));
    DO(read(51, text, 3));
    SAY("%s", text);
    const int fd = open("locked", O_RDWR);
    DO(flock(fd, LOCK_EX | LOCK_NB));
    return;
  }
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "abcdef", 6));
  DO(lseek(fd, 3, SEEK_SET));
  DO(dup3(fd, 50, O_CLOEXEC));
  DO(dup2(50, 51));
  const int locked = DO(open("locked", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  DO(flock(locked, LOCK_EX | LOCK_NB));
  lab_point("exec");
  execl("/proc/self/exe", "again", "x", NULL);
}
