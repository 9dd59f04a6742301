// A child that shares its parent's memory (CLONE_VM | CLONE_VFORK) and cannot run its program tells so in that memory, wherever its parent was moved meanwhile.
// refused: shares its memory
#include "../../lab.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));
static int error;

static int run(void *none) {
  char *words[] = {NULL};
  lab_point("in the child");
  execve("/nowhere/at/all", words, words);
  error = errno;
  (void)none;
  return 3;
}

BEHAVIOUR {
  for (int i = 0; i < 3; ++i) {
    error = 0;
    lab_point("clone");
    const pid_t child = clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    SAY("child %d, error %s", ended(child), lab_error(error));
    DO(getppid() > 0);
  }
}
