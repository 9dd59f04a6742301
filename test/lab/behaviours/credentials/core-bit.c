// The status of a process that ends by a fatal signal says whether it left a core; with a limit of 0, or not dumpable, it did not.
#include "../../lab.h"
#include <sys/prctl.h>
#include <sys/resource.h>

BEHAVIOUR {
  const int signals[] = {SIGSEGV, SIGABRT, SIGQUIT, SIGFPE, SIGTERM};
  DO(setrlimit(RLIMIT_CORE, &(struct rlimit){0, RLIM_INFINITY}));
  for (int i = 0; i < 5; ++i) {
    const pid_t child = FORK();
    if (child == 0) {
      if (i == 1) prctl(PR_SET_DUMPABLE, 0);
      lab_point("the signal");
      if (i == 0) *(volatile int *)8 = 1;
      if (i == 3) i /= i - 3;
      raise(signals[i]);
      _exit(1);
    }
    int status = 0;
    siginfo_t info;
    DO(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    TRY(waitpid(child, &status, 0));
    SAY("signal %d core %d code %d", WTERMSIG(status), WCOREDUMP(status) != 0, info.si_code);
  }
}
