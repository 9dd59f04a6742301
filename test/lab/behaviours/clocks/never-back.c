// No clock of elapsed time or of the day goes back, and none jumps, from one place to the next.
#include "../../lab.h"
#include <sys/time.h>

BEHAVIOUR {
  const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
  enum { n = sizeof clocks / sizeof *clocks };
  double last[2][n], start[2][n];
  for (int turn = 0; turn < 20; ++turn) {
    AT(sched_yield());
    for (int raw = 0; raw < 2; ++raw)
      for (int i = 0; i < n; ++i) {
        struct timespec t;
        if (raw ? (int)syscall(SYS_clock_gettime, clocks[i], &t) : clock_gettime(clocks[i], &t)) abort();
        const double now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
        if (turn == 0) start[raw][i] = last[raw][i] = now;
        if (now < last[raw][i] - (clocks[i] == CLOCK_REALTIME || clocks[i] == CLOCK_REALTIME_COARSE || clocks[i] == CLOCK_TAI ? 0.002 : 0))
          SAY("clock %d went back by %.9f", clocks[i], last[raw][i] - now);
        last[raw][i] = now;
      }
  }
  // All have gone on by the same.
  for (int raw = 0; raw < 2; ++raw)
    for (int i = 0; i < n; ++i) {
      const double apart = (last[raw][i] - start[raw][i]) - (last[1][1] - start[1][1]);
      SAY("clock %d raw %d: %s", clocks[i], raw, apart > -0.2 && apart < 0.2 ? "even" : "OFF");
    }
}
