// A zombie has a number, a group and a name, takes signals without effect, and is gone when it has been waited for.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  const pid_t child = FORK();
  if (child == 0) _exit(0);
  siginfo_t info;
  DO(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
  DO(kill(child, SIGKILL));
  DO(kill(child, 0));
  HOLDS(getpgid(child) == getpgrp());
  DO(getpriority(PRIO_PROCESS, (id_t)child));
  char path[40], state = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  FILE *file = fopen(path, "r");
  if (fscanf(file, "%*d %*s %c", &state) != 1) abort();
  fclose(file);
  SAY("state %c", state);
  SAY("child %d", ended(child));
  DO(kill(child, 0));
  DO(getpgid(child));
}
