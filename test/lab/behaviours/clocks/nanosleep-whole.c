// A sleep lasts as long as it was told to, and is not ended by a move.
#include "../../lab.h"

BEHAVIOUR {
  struct timespec time = {0, 150000000}, rest;        // after a stop of any kind the kernel has written to `rest`
  LASTS(0.15, DO(nanosleep(&time, &rest)));
  LASTS(0.15, GIVES(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &rest)));
  struct timespec until;
  AT(clock_gettime(CLOCK_MONOTONIC, &until));
  until.tv_sec += 1;
  LASTS(1 - 0.7, GIVES(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL)));
  time.tv_nsec = 1000000000;
  DO(nanosleep(&time, NULL));
}
