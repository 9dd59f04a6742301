// nice and setpriority: values are bounded, and their own; others' processes are EPERM or EACCES, none is ESRCH.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  DO(nice(5));
  DO(getpriority(PRIO_PROCESS, 0));
  DO(setpriority(PRIO_PROCESS, 0, 100));
  DO(getpriority(PRIO_PROCESS, 0));
  DO(nice(-3));
  DO(nice(-100));
  DO(getpriority(PRIO_PGRP, 0));
  DO(setpriority(PRIO_PROCESS, 0, 0));
  DO(setpriority(9, 0, 0));
  DO(getpriority(PRIO_PROCESS, 0x7ffffff0));
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  DO(setpriority(PRIO_PROCESS, (id_t)child, 7));
  DO(getpriority(PRIO_PROCESS, (id_t)child));
  DO(getpriority(PRIO_PROCESS, 0));
  kill(child, SIGKILL);
  SAY("child %d", ended(child));
  DO(setresuid(1001, 1001, 1001));
  DO(nice(4));
  DO(setpriority(PRIO_PROCESS, 0, 2));
  DO(setpriority(PRIO_PROCESS, (id_t)getppid(), 3));
}
