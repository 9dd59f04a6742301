// waitid tells of stops and continuations once each, leaves them with WNOWAIT, and says which signal it was.
#include "../../lab.h"

static void told(int result, const siginfo_t *info) {
  SAY("%d: code %d status %d signo %d", result, info->si_code, info->si_status, info->si_signo == SIGCHLD);
}

BEHAVIOUR {
  siginfo_t info = {0};
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  setpgid(child, child);                              // in a group that is not orphaned: else SIGTSTP stops nobody
  DO(kill(child, SIGTSTP));
  AT(told(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT), &info));
  AT(told(waitid(P_PID, (id_t)child, &info, WSTOPPED | WCONTINUED | WEXITED), &info));
  DO(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG));
  DO(info.si_pid);
  DO(kill(child, SIGCONT));
  AT(told(waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOWAIT), &info));
  AT(told(waitid(P_PID, (id_t)child, &info, WCONTINUED), &info));
  DO(waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOHANG));
  DO(kill(child, SIGSTOP));
  int status;
  TRY(waitpid(child, &status, WUNTRACED));
  SAY("stopped %d", WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  DO(kill(child, SIGCONT));
  TRY(waitpid(child, &status, WCONTINUED));
  SAY("continued %d", WIFCONTINUED(status));
  DO(kill(child, SIGTERM));
  AT(told(waitid(P_PID, (id_t)child, &info, WEXITED), &info));
}
