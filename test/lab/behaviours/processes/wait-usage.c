// wait4 gives what the child used, and getrusage of the children grows by it; a child that is not waited for is not counted.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  struct rusage before, usage, after;
  DO(getrusage(RUSAGE_CHILDREN, &before));
  const pid_t child = FORK();
  if (child == 0) {
    for (int i = 0; i < 3; ++i) sleep_ms(2);
    _exit(0);
  }
  memset(&usage, 0x55, sizeof usage);
  siginfo_t info;
  DO(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
  DO(getrusage(RUSAGE_CHILDREN, &after));
  HOLDS(after.ru_nvcsw == before.ru_nvcsw);
  TRY(wait4(child, NULL, 0, &usage));
  DO(getrusage(RUSAGE_CHILDREN, &after));
  HOLDS(after.ru_nvcsw == before.ru_nvcsw + usage.ru_nvcsw);
  HOLDS(usage.ru_maxrss > 0 && usage.ru_utime.tv_sec < 5);
  DO(getrusage(17, &usage));
  DO(getrusage(RUSAGE_SELF, (struct rusage *)8));
}
