// Relative and absolute sleeps by each clock end when they should.
#include "../../lab.h"

BEHAVIOUR {
  const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
  for (int i = 0; i < 4; ++i) {
    struct timespec time = {0, 120000000}, until;
    LASTS(0.12, GIVES(clock_nanosleep(clocks[i], 0, &time, NULL)));
    lab_point("absolute");
    clock_gettime(clocks[i], &until);
    until.tv_nsec += 120000000;
    if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, ++until.tv_sec;
    LASTS(0.1, clock_nanosleep(clocks[i], TIMER_ABSTIME, &until, NULL));
    LASTS(0, GIVES(clock_nanosleep(clocks[i], TIMER_ABSTIME, &until, NULL)));
  }
}
