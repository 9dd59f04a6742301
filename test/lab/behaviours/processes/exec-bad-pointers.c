// exec of lists that are nowhere, or hold strings that are nowhere, fails with EFAULT; a list that is NULL is empty.
#include "../../lab.h"

BEHAVIOUR {
  if (lab_argc == 1 && lab_argv[0][0] == 0) _exit(66);
  char *bad[] = {"x", (char *)16, NULL}, *good[] = {"x", NULL};
  DO(syscall(SYS_execve, "/proc/self/exe", bad, NULL));
  DO(syscall(SYS_execve, "/proc/self/exe", good, bad));
  DO(syscall(SYS_execve, "/proc/self/exe", 8, NULL));
  DO(syscall(SYS_execve, "/proc/self/exe", good, 8));
  DO(syscall(SYS_execve, "/proc/self/exe", good, -4096l));
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("in the child");
    syscall(SYS_execve, "/proc/self/exe", NULL, NULL);
    _exit(1);
  }
  SAY("child %d", ended(child));
}
