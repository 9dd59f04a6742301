// A child made with CLONE_PARENT is its maker's sibling: their parent waits for it, the maker cannot.
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  int ends[2];
  DO(pipe(ends));
  const pid_t maker = FORK();
  if (maker == 0) {
    lab_point("clone(CLONE_PARENT)");
    const pid_t made = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (made == 0) {
      lab_point("in the sibling");
      _exit(21);
    }
    if (write(ends[1], &made, sizeof made) != sizeof made) abort();
    _exit(waitpid(made, NULL, 0) < 0 && errno == ECHILD ? 22 : 1);
  }
  pid_t made = 0;
  DO(read(ends[0], &made, sizeof made));
  SAY("maker %d", ended(maker));
  lab_point("the other");
  SAY("made %d", ended(made));
}
