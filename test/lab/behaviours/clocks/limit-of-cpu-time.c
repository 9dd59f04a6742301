// A program that has used the CPU time it is allowed gets SIGXCPU, and is killed at the hard limit.
// home: prlimit64
// refused: it has a limit on CPU time
#include "../../lab.h"
#include <sys/resource.h>

static volatile sig_atomic_t came;
static void count(int signal) { (void)signal, ++came; }

static void limited(void) {
  struct rlimit limit = {1, 2}, told;
  signal(SIGXCPU, count);
  DO(getrlimit(RLIMIT_CPU, &told));
  DO(setrlimit(RLIMIT_CPU, &limit));
  DO(getrlimit(RLIMIT_CPU, &told));
  SAY("%ld %ld", (long)told.rlim_cur, (long)told.rlim_max);
  for (; !came && seconds_now(CLOCK_PROCESS_CPUTIME_ID) < 4;) continue;
  HOLDS(came == 1);
  for (; seconds_now(CLOCK_PROCESS_CPUTIME_ID) < 4;) continue;
  _exit(1);
}

BEHAVIOUR {
  AT(for (const double from = seconds_now(CLOCK_PROCESS_CPUTIME_ID); seconds_now(CLOCK_PROCESS_CPUTIME_ID) - from < 0.05;) continue);
  const pid_t child = FORK();
  if (child == 0) limited();
  SAY("%d", ended(child));
}
