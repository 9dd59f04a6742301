// fork, vfork, getpgrp, pause, alarm, time, getrlimit, setrlimit, wait4 by their own numbers.
#include "../../lab.h"
#include <sys/resource.h>

static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }

BEHAVIOUR {
  HOLDS(syscall(SYS_getpgrp) == getpgid(0));
  lab_point("fork");
  const pid_t child = (pid_t)syscall(SYS_fork);
  if (child == 0) {
    lab_point("in the child");
    syscall(SYS_exit_group, 12);
  }
  int status = 0;
  lab_point("wait4");
  HOLDS(syscall(SYS_wait4, child, &status, 0, NULL) == child && WEXITSTATUS(status) == 12);
  struct rlimit limit = {0, 0}, kept;
  DO(syscall(SYS_getrlimit, RLIMIT_CORE, &kept));
  limit.rlim_max = kept.rlim_max;
  DO(syscall(SYS_setrlimit, RLIMIT_CORE, &limit));
  DO(syscall(SYS_getrlimit, RLIMIT_CORE, &limit));
  SAY("%lu", limit.rlim_cur);
  DO(syscall(SYS_getrlimit, 99, &limit));
  time_t seconds = 0;
  lab_point("time");
  const time_t now = (time_t)syscall(SYS_time, &seconds);
  HOLDS(now == seconds && now - time(NULL) <= 1 && time(NULL) - now <= 1);
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGALRM, &action, NULL);
  DO(syscall(SYS_alarm, 100));
  DO(syscall(SYS_alarm, 1) == 100);
  LASTS(0.0, if (!caught) DO(syscall(SYS_pause)));
  HOLDS(caught == SIGALRM);
}
