// A child made by clone(3) with a stack of its own and a memory of its own runs its function there.
#include "../../lab.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));
static int run(void *argument) {
  int here;
  return (char *)&here > stack && (char *)&here < stack + sizeof stack ? *(int *)argument : 1;
}

BEHAVIOUR {
  int number = 19;
  lab_point("clone");
  SAY("%d", ended(clone(run, stack + sizeof stack, SIGCHLD, &number)));
}
