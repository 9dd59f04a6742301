// clone stores the child's number in the parent and in the child, and clears it in the child when that executes or ends.
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  static int parent_tid, child_tid;
  child_tid = -5;
  lab_point("clone");
  const pid_t child = (pid_t)syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0, &parent_tid, &child_tid, 0);
  if (child == 0) _exit(child_tid == getpid() && gettid() == getpid() ? 0 : 1);
  HOLDS(parent_tid == child);
  SAY("child_tid %d", child_tid);
  SAY("child %d", ended(child));
  lab_point("clone with places that are none");
  const pid_t other = (pid_t)syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, 8, 8, 0);
  if (other == 0) _exit(3);
  SAY("other %d", ended(other));
}
