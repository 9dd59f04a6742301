// wait4, waitpid and waitid end with EINTR, or go on where the handler has SA_RESTART; the status is untouched until a child has ended.
#include "../../interrupts.h"

static int tell[2];
static void release(void) { if (write(tell[1], "x", 1) != 1) abort(); }

BEHAVIOUR {
  DO(pipe(tell));
  for (int turn = 0; turn < 2; ++turn) {
    const pid_t child = FORK();
    if (child == 0) {
      char c;
      if (read(tell[0], &c, 1) != 1) abort();
      _exit(5 + turn);
    }
    int status = 12345;
    siginfo_t info = {.si_signo = 77};
    if (turn == 0) {
      INTERRUPTED(waitpid(child, &status, 0));
      SAY("status %d", status);
      RESTARTED(release, waitpid(child, &status, 0) == child);
      SAY("status %d", status);
    } else {
      INTERRUPTED(waitid(P_PID, (id_t)child, &info, WEXITED));
      SAY("signo %d", info.si_signo);
      RESTARTED(release, waitid(P_PID, (id_t)child, &info, WEXITED));
      SAY("signo %d code %d status %d", info.si_signo, info.si_code, info.si_status);
    }
  }
}
