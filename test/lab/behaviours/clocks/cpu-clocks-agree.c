// Wherever the program is, all clocks of processor time tell the same, and so do getrusage and times.
#include "../../lab.h"
#include <sys/resource.h>
#include <sys/times.h>

static double usage(int who) {
  struct rusage u;
  getrusage(who, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static double raw(clockid_t clock) {
  struct timespec t = {0};
  syscall(SYS_clock_gettime, clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static void work(double seconds) {
  for (double end = seconds_now(CLOCK_MONOTONIC) + seconds; seconds_now(CLOCK_MONOTONIC) < end;) continue;
}

BEHAVIOUR {
  clockid_t own, thread;
  struct tms t;
  if (clock_getcpuclockid(getpid(), &own) || pthread_getcpuclockid(pthread_self(), &thread)) abort();
  for (int turn = 0; turn < 5; ++turn) {
    work(0.1);
    AT(sched_yield());
    times(&t);
    const double all[] = {seconds_now(CLOCK_PROCESS_CPUTIME_ID), seconds_now(CLOCK_THREAD_CPUTIME_ID), seconds_now(own), seconds_now(thread), raw(CLOCK_PROCESS_CPUTIME_ID), raw(own), raw(thread),
                          usage(RUSAGE_SELF), usage(RUSAGE_THREAD), (double)clock() / CLOCKS_PER_SEC, (double)(t.tms_utime + t.tms_stime) / 100};
    for (int i = 1; i < 11; ++i) SAY("%d: %s", i, all[i] >= all[0] - 0.05 && all[i] <= all[0] + 0.05 ? "as the first" : "NOT AS THE FIRST");
  }
}
