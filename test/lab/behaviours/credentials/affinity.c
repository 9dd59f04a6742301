// The set of processors a program may run on is what was set, of those there are; an empty one, and a short buffer, are EINVAL.
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  cpu_set_t all, one, got;
  CPU_ZERO(&all);
  const long size = syscall(SYS_sched_getaffinity, 0, sizeof all, &all);
  HOLDS(size >= 8);
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  DO(sched_setaffinity(0, sizeof one, &one));
  DO(sched_getaffinity(0, sizeof got, &got));
  SAY("%d %d", CPU_COUNT(&got), CPU_ISSET(0, &got) != 0);
  const pid_t child = FORK();
  if (child == 0) _exit(sched_getaffinity(0, sizeof got, &got) || CPU_COUNT(&got) != 1);
  SAY("child %d", ended(child));
  CPU_ZERO(&got);
  DO(sched_setaffinity(0, sizeof got, &got));
  CPU_SET(1000, &got);
  DO(sched_setaffinity(0, sizeof got, &got));
  DO(syscall(SYS_sched_getaffinity, 0, 1, &got));
  DO(syscall(SYS_sched_getaffinity, 0, 9, &got));
  DO(syscall(SYS_sched_getaffinity, 0, 128, 8));
  DO(syscall(SYS_sched_setaffinity, 0, 128, 8));
  DO(sched_getaffinity(0x7ffffff0, sizeof got, &got));
  DO(sched_setaffinity(0, sizeof all, &all));
  CPU_ZERO(&got);
  DO(sched_getaffinity(0, sizeof got, &got));
  HOLDS(CPU_EQUAL(&all, &got));
}
