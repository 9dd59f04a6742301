// What waitpid and waitid refuse, and what they do without waiting.
#include "../../lab.h"

BEHAVIOUR {
  siginfo_t info;
  int status = 1234;
  DO(waitpid(-1, &status, 0));
  DO(waitpid(-1, &status, 0x40000));
  DO(waitpid(0x7ffffff0, &status, WNOHANG));
  DO(waitpid(INT32_MIN, &status, 0));
  DO(waitid(P_ALL, 0, &info, 0));
  DO(waitid(P_ALL, 0, &info, WNOHANG));
  DO(waitid(P_ALL, 0, &info, WEXITED | 0x40));
  DO(waitid(P_PID, 0, &info, WEXITED));
  DO(waitid((idtype_t)7, 1, &info, WEXITED));
  DO(waitid(P_PIDFD, 0, &info, WEXITED));
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  memset(&info, 0x55, sizeof info);
  DO(waitpid(child, &status, WNOHANG));
  DO(waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG));
  SAY("pid %d signo %d status %d", info.si_pid, info.si_signo, status);
  DO(waitid(P_PGID, 0x7ffffff0, &info, WEXITED | WNOHANG));
  DO(waitpid(-getpgrp(), &status, WNOHANG));
  DO(waitpid(0, &status, WNOHANG));
  DO(kill(child, SIGKILL));
  DO(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT));
  TRY(waitpid(0, NULL, 0));
  SAY("status %d", status);
}
