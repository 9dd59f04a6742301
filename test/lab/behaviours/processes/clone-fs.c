// With CLONE_FS parent and child have one working directory and one umask; without it each has its own.
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  DO(mkdir("below", 0755));
  AT(umask(022));
  for (int shared = 0; shared < 2; ++shared) {
    lab_point("clone");
    const pid_t child = (pid_t)syscall(SYS_clone, (shared ? CLONE_FS : 0) | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
      lab_point("in the child");
      umask(077);
      _exit(chdir("below"));
    }
    SAY("child %d", ended(child));
    SAY("umask %03o", umask(022));
    DO(access("below", F_OK));
  }
  DO(chdir(".."));
}
