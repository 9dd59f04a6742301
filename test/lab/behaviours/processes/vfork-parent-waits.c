// The parent of a vfork child stands still until the child has ended or executed a program.
#include "../../lab.h"

BEHAVIOUR {
  volatile int step = 0;
  lab_point("vfork");
  const pid_t child = vfork();
  if (child == 0) {
    struct timespec rest = {0, 60000000};
    step = 1;
    nanosleep(&rest, NULL);
    step = 2;
    _exit(0);
  }
  SAY("step %d", step);
  SAY("%d", ended(child));
}
