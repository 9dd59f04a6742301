// A daemon has forked twice, has a session without a terminal, the root as directory and /dev/null as its files, and outlives its parent.
#include "../../lab.h"
#include <sys/prctl.h>

BEHAVIOUR {
  int ends[2];
  DO(pipe(ends));
  DO(prctl(PR_SET_CHILD_SUBREAPER, 1));
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("daemon()");
    if (daemon(0, 0)) abort();
    lab_point("as a daemon");
    char where[100] = "";
    struct stat about;
    const bool good = getcwd(where, sizeof where) && !strcmp(where, "/") && !fstat(1, &about) && S_ISCHR(about.st_mode) && getsid(0) == getpid();
    const pid_t second = fork();
    if (second) _exit(0);
    lab_point("not a leader any more");
    if (dprintf(ends[1], "%d %d", good, getsid(0) != getpid()) < 0) abort();
    _exit(70);
  }
  SAY("child %d", ended(child));
  close(ends[1]);
  char text[10] = "";
  DO(read(ends[0], text, 9));
  SAY("%s", text);
  int sum = 0;
  for (int i = 0; i < 2; ++i) sum += ended(-1);
  SAY("reaped %d", sum);
}
