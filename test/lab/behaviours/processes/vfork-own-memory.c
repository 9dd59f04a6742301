// CLONE_VFORK without CLONE_VM: the parent waits for the child's end, and its memory stays its own.
// home: clone
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  volatile int mine = 1;
  for (int turn = 0; turn < 2; ++turn) {
    lab_point("clone(CLONE_VFORK)");
    const double from = seconds_now(CLOCK_MONOTONIC);
    const pid_t child = (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
      mine = 2;
      sleep_ms(80);
      if (turn) {
        char *words[] = {"/bin/sh", "-c", "exit 4", NULL};
        execv("/bin/sh", words);
      }
      _exit(3);
    }
    HOLDS(seconds_now(CLOCK_MONOTONIC) - from > 0.079);
    SAY("mine is %d, the child ended with %d", mine, ended(child));
  }
}
