// Outputs that may be left out are, where null stands for them.
// home: fork
#include "../../lab.h"
#include <sys/time.h>

BEHAVIOUR {
  const pid_t child = FORK();
  if (!child) _exit(0);
  DO(waitpid(child, NULL, 0) > 0);
  DO(syscall(SYS_time, NULL) > 0);
  DO(syscall(SYS_times, NULL) != -1);
  DO(syscall(SYS_gettimeofday, NULL, NULL));
  DO(sigaction(SIGUSR1, NULL, NULL));
  DO(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL));
  DO(syscall(SYS_prlimit64, 0, 7, NULL, NULL));
  DO(syscall(SYS_pipe, NULL));
  DO(syscall(SYS_fstat, 0, NULL));
  DO(syscall(SYS_getcwd, NULL, 0));
  DO(syscall(SYS_open, NULL, 0));
  DO(syscall(SYS_clock_gettime, 0, NULL));
  DO(syscall(SYS_clock_getres, 0, NULL));
  DO(syscall(SYS_getresuid, NULL, NULL, NULL));
  DO(syscall(SYS_poll, NULL, 0, 0));
  DO(syscall(SYS_select, 0, NULL, NULL, NULL, &(struct timeval){0, 0}));
  DO(syscall(SYS_getrandom, NULL, 5, 0));
  DO(syscall(SYS_utimensat, 1, NULL, NULL, 0) == 0 || errno != EFAULT);
  DO(syscall(SYS_getpeername, 0, NULL, NULL) < 0);
}
