// A child made with CLONE_VM writes to the memory of its parent.
// home: clone
// refused: shares its memory
#include "../../lab.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));
static atomic_int step;
static int run(void *argument) {
  (void)argument;
  step = 1;
  while (step != 2) syscall(SYS_sched_yield);
  return 4;
}

BEHAVIOUR {
  lab_point("clone");
  const pid_t child = clone(run, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
  while (step != 1) sleep_ms(1);
  lab_point("side by side");
  step = 2;
  SAY("child %d", ended(child));
  DO(step);
}
