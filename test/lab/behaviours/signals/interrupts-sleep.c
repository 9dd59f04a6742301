// A handler ends every relative sleep, and what is left of it is told; an absolute one tells nothing.
#include "../../interrupts.h"

static void nothing(void) {}

BEHAVIOUR {
  struct timespec time = {10, 0}, rest = {77, 77}, until;
  INTERRUPTED(nanosleep(&time, &rest));
  HOLDS(rest.tv_sec < 10 && rest.tv_sec >= 5);
  rest = (struct timespec){77, 77};
  RESTARTED(nothing, nanosleep(&time, &rest));
  HOLDS(rest.tv_sec < 10 && rest.tv_sec >= 5);
  rest = (struct timespec){77, 77};
  RESTARTED(nothing, clock_nanosleep(CLOCK_BOOTTIME, 0, &time, &rest) == EINTR);
  HOLDS(rest.tv_sec < 10 && rest.tv_sec >= 5);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  rest = (struct timespec){77, 77};
  RESTARTED(nothing, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, &rest) == EINTR);
  HOLDS(rest.tv_sec == 77 && rest.tv_nsec == 77);
  INTERRUPTED(nanosleep(&time, NULL));
  INTERRUPTED(usleep(5000000));
  INTERRUPTED(sleep(10) < 11);
}
