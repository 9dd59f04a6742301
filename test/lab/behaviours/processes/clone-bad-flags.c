// clone refuses flags that do not go together, and makes nothing.
// home: clone
#include "../../lab.h"
#include <sched.h>

static long clone_with(unsigned long flags) { return syscall(SYS_clone, flags, 0, 0, 0, 0); }

BEHAVIOUR {
  DO(clone_with(CLONE_SIGHAND | SIGCHLD));
  DO(clone_with(CLONE_THREAD | CLONE_VM | SIGCHLD));
  DO(clone_with(CLONE_THREAD | SIGCHLD));
  DO(clone_with(CLONE_FS | CLONE_NEWNS | SIGCHLD));
  DO(clone_with(CLONE_FS | CLONE_NEWUSER | SIGCHLD));
  DO(clone_with(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD));
  DO(waitpid(-1, NULL, WNOHANG | __WALL));
}
