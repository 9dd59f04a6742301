// In strict mode read, write, exit and sigreturn are allowed, and all else is SIGKILL.
// home: prctl
// refused: process
#include "../../lab.h"
#include <sys/prctl.h>

BEHAVIOUR {
  int ends[2];
  DO(pipe(ends));
  for (int turn = 0; turn < 2; ++turn) {
    const pid_t child = FORK();
    if (child == 0) {
      lab_point("strict mode");
      if (prctl(PR_SET_SECCOMP, 1)) _exit(1);
      char text[] = "strict";
      if (write(ends[1], text, 6) != 6 || read(ends[0], text, 6) != 6) syscall(SYS_exit, 2);
      if (turn) syscall(SYS_getpid);
      syscall(SYS_exit, 5);
    }
    SAY("child %d", ended(child));
  }
}
