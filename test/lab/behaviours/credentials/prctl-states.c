// What prctl has set, prctl gets, in this thread or process, and its children have what they should.
// home: prctl
#include "../../lab.h"
#include <sys/prctl.h>

BEHAVIOUR {
  DO(prctl(PR_SET_TIMERSLACK, 123456, 0, 0, 0));
  DO(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
  DO(prctl(PR_SET_DUMPABLE, 3));
  DO(prctl(PR_SET_DUMPABLE, 0));
  DO(prctl(PR_GET_DUMPABLE));
  DO(prctl(PR_SET_DUMPABLE, 1));
  DO(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
  DO(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  DO(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
  DO(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
  DO(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 7, 0, 0));
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("in the child");
    _exit((prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 123456) + 2 * prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) + 4 * (prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_EARLY));
  }
  SAY("child %d", ended(child));
  DO(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0));
  DO(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
  DO(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  DO(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
  DO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  DO(prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
  DO(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL));
  DO(prctl(9999, 0, 0, 0, 0));
}
