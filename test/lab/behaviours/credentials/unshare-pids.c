// In an own pid namespace the first child is 1, sees its parent as 0, and with its end all others end.
// home: unshare, clone, fork
// refused: namespace
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  const pid_t child = FORK();
  if (child == 0) {
    DO(unshare(CLONE_NEWPID));
    lab_point("fork");
    const pid_t first = fork();
    if (first == 0) {
      if (getpid() != 1 || getppid() != 0) _exit(1);
      const pid_t second = fork();
      if (second == 0) for (;;) pause();
      _exit(second == 2 && kill(2, 0) == 0 && kill(3, 0) < 0 && errno == ESRCH ? 11 : 12);
    }
    SAY("first %d", ended(first));
    _exit(3);
  }
  SAY("child %d", ended(child));
}
