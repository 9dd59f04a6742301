// ioprio_get gives what ioprio_set was told, for a process, a group or a user.
#include "../../lab.h"

static long set(int which, int who, int priority) { return syscall(SYS_ioprio_set, which, who, priority); }
static long get(int which, int who) { return syscall(SYS_ioprio_get, which, who); }

BEHAVIOUR {
  DO(set(1, 0, 2 << 13 | 6));
  DO(get(1, 0));
  DO(set(1, 0, 3 << 13));
  DO(get(1, 0));
  DO(set(1, 0, 2 << 13 | 9));
  DO(set(1, 0, 7 << 13));
  DO(set(9, 0, 2 << 13));
  DO(get(1, 0x7ffffff0));
  const pid_t child = FORK();
  if (child == 0) _exit(get(1, 0) == 3 << 13 ? 3 : 4);
  SAY("child %d", ended(child));
  DO(set(2, 0, 2 << 13 | 1));
  DO(get(1, 0));
  DO(set(1, 0, 0));
}
