// prlimit sets another process's limit, which has its effect there.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  int go[2], told[2];
  DO(pipe(go));
  DO(pipe(told));
  const pid_t child = FORK();
  if (child == 0) {
    char none;
    if (read(go[0], &none, 1) != 1) abort();
    lab_point("in the child");
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    const int fd = dup2(1, 40);
    if (dprintf(told[1], "%lu, %s", limit.rlim_cur, fd < 0 ? lab_error(errno) : "done") < 0) abort();
    _exit(0);
  }
  struct rlimit limit = {30, 60}, old;
  DO(prlimit(child, RLIMIT_NOFILE, &limit, &old));
  DO(prlimit(child, RLIMIT_NOFILE, NULL, &old));
  SAY("%lu %lu", old.rlim_cur, old.rlim_max);
  DO(write(go[1], "x", 1));
  SAY("child %d", ended(child));
  char text[100] = "";
  DO(read(told[0], text, sizeof text) > 0);
  SAY("%s", text);
}
