// Processor time grows where the program computes, by every clock and call that tells of it, and all tell alike.
#include "../../lab.h"
#include <sys/resource.h>
#include <sys/times.h>

static double usage(int who) {
  struct rusage u;
  getrusage(who, &u);
  return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// A child that passes no point stays where it is.
BEHAVIOUR {
  for (int turn = 0; turn < 4; ++turn) {
    const pid_t child = FORK();
    if (child == 0) {
      clockid_t own, thread;
      if (clock_getcpuclockid(0, &own) || pthread_getcpuclockid(pthread_self(), &thread)) abort();
      clockid_t by_pid;
      if (clock_getcpuclockid(getpid(), &by_pid)) abort();
      struct tms t;
      times(&t);
      const double before[] = {seconds_now(CLOCK_PROCESS_CPUTIME_ID), seconds_now(CLOCK_THREAD_CPUTIME_ID), seconds_now(own), seconds_now(thread), seconds_now(by_pid),
                               usage(RUSAGE_SELF), usage(RUSAGE_THREAD), (double)clock() / CLOCKS_PER_SEC, (double)(t.tms_utime + t.tms_stime) / 100};
      const double give_up = seconds_now(CLOCK_MONOTONIC) + 8;
      while (seconds_now(CLOCK_THREAD_CPUTIME_ID) < before[1] + 0.08 && seconds_now(CLOCK_MONOTONIC) < give_up) continue;
      times(&t);
      const double after[] = {seconds_now(CLOCK_PROCESS_CPUTIME_ID), seconds_now(CLOCK_THREAD_CPUTIME_ID), seconds_now(own), seconds_now(thread), seconds_now(by_pid),
                              usage(RUSAGE_SELF), usage(RUSAGE_THREAD), (double)clock() / CLOCKS_PER_SEC, (double)(t.tms_utime + t.tms_stime) / 100};
      for (int i = 0; i < 9; ++i) SAY("%d: %s", i, after[i] - before[i] >= 0.05 ? "has grown" : "HAS NOT GROWN");
      _exit(0);
    }
    SAY("child %d", ended(child));
  }
}
