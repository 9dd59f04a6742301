// Each limit is what it was set to; a soft one above the hard one, a number that is none and a bad pointer are refused; prlimit gives the old.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  struct rlimit limit = {5, 6}, old;
  DO(setrlimit(RLIMIT_CORE, &limit));
  limit = (struct rlimit){7, 6};
  DO(setrlimit(RLIMIT_CORE, &limit));
  DO(prlimit(0, RLIMIT_CORE, NULL, &old));
  SAY("%lu %lu", old.rlim_cur, old.rlim_max);
  limit = (struct rlimit){3, 4};
  DO(prlimit(getpid(), RLIMIT_CORE, &limit, &old));
  SAY("%lu %lu", old.rlim_cur, old.rlim_max);
  DO(getrlimit(99, &old));
  DO(syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8, NULL));
  DO(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, 8));
  DO(prlimit(0x7ffffff0, RLIMIT_CORE, NULL, &old));
  for (int which = 0; which < 16; ++which) {
    getrlimit(which, &old);
    limit = (struct rlimit){old.rlim_max / 2, old.rlim_max};
    if (which == RLIMIT_NOFILE || which == RLIMIT_AS || which == RLIMIT_DATA || which == RLIMIT_STACK || which == RLIMIT_NPROC || which == RLIMIT_CPU) continue;
    if (prlimit(0, which, &limit, NULL) || getrlimit(which, &old) || old.rlim_cur != limit.rlim_cur) SAY("%d", which);
  }
  DO(setresuid(1001, 1001, 1001));
  DO(setrlimit(RLIMIT_CORE, &(struct rlimit){4, 5}));
  DO(setrlimit(RLIMIT_CORE, &(struct rlimit){4, 4}));
  DO(prlimit(getppid(), RLIMIT_CORE, NULL, &old));
  DO(setpriority(PRIO_PROCESS, 0, -5));
}
