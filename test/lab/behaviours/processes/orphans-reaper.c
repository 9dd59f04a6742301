// Orphans become children of the nearest subreaper, which can wait for them; PR_SET_CHILD_SUBREAPER is not inherited.
#include "../../lab.h"
#include <sys/prctl.h>

BEHAVIOUR {
  int is = -1, ends[2];
  DO(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  DO(prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0));
  SAY("%d", is);
  DO(pipe(ends));
  const pid_t middle = FORK();
  if (middle == 0) {
    prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0);
    const pid_t middle_pid = getpid(), orphan = fork();
    if (orphan == 0) {
      while (getppid() == middle_pid) sleep_ms(1);
      lab_point("in the orphan");
      const pid_t parent = getppid();
      if (write(ends[1], &parent, sizeof parent) < 0) abort();
      _exit(31);
    }
    _exit(is + 30);
  }
  SAY("middle %d", ended(middle));
  pid_t parent = 0;
  DO(read(ends[0], &parent, sizeof parent));
  HOLDS(parent == getpid());
  SAY("orphan %d", ended(-1));
  DO(waitpid(-1, NULL, 0));
}
