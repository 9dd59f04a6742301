// A wait whose result cannot be stored has reaped the child all the same, and says EFAULT.
#include "../../lab.h"
#include <sys/resource.h>

static pid_t one(int status) {
  const pid_t child = fork();
  if (child == 0) _exit(status);
  return child;
}

BEHAVIOUR {
  siginfo_t info;
  struct rusage usage;
  DO(syscall(SYS_wait4, one(1), 8, 0, NULL));
  DO(waitpid(-1, NULL, WNOHANG));
  DO(syscall(SYS_wait4, one(2), NULL, 0, 8));
  DO(waitpid(-1, NULL, WNOHANG));
  DO(syscall(SYS_waitid, P_PID, one(3), 8, WEXITED, NULL));
  DO(waitpid(-1, NULL, WNOHANG));
  DO(syscall(SYS_waitid, P_PID, one(4), &info, WEXITED, 8));
  DO(waitpid(-1, NULL, WNOHANG));
  DO(syscall(SYS_waitid, P_PID, one(5), &info, WEXITED, &usage));
  SAY("%d", info.si_status);
  DO(syscall(SYS_wait4, 0x7ffffff0, 8, 0, NULL));
}
