// With CLONE_FILES parent and child have one table of descriptors: what one closes or opens, the other has no longer, or has.
// home: clone
// refused: memory
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  lab_point("clone(CLONE_FILES)");
  const pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    close(fd);
    if (dup2(1, 77) != 77) _exit(1);
    _exit(0);
  }
  SAY("child %d", ended(child));
  DO(fcntl(fd, F_GETFD));
  DO(fcntl(77, F_GETFD));
  DO(close(77));
}
