// TFD_TIMER_CANCEL_ON_SET waits like any other as long as nobody sets the clock; what a timerfd refuses.
#include "../../lab.h"
#include <sys/timerfd.h>

BEHAVIOUR {
  uint64_t number = 0;
  const int fd = DO(timerfd_create(CLOCK_REALTIME, 0)), up = DO(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
  struct itimerspec when = {.it_value = {0, 0}}, old;
  clock_gettime(CLOCK_REALTIME, &when.it_value);
  when.it_value.tv_nsec += 150000000;
  if (when.it_value.tv_nsec >= 1000000000) when.it_value.tv_nsec -= 1000000000, ++when.it_value.tv_sec;
  DO(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL));
  DO(read(fd, &number, 8));
  SAY("%lu", (unsigned long)number);
  HOLDS(seconds_now(CLOCK_REALTIME) >= (double)when.it_value.tv_sec + (double)when.it_value.tv_nsec / 1e9 - 0.002);
  DO(timerfd_settime(fd, 8, &when, NULL));
  DO(timerfd_settime(0, 0, &when, NULL));
  DO(timerfd_gettime(99, &old));
  when.it_value.tv_nsec = 1000000000;
  DO(timerfd_settime(up, 0, &when, &old));
  DO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
  DO(timerfd_create(CLOCK_MONOTONIC, 1));
  DO(syscall(SYS_timerfd_settime, up, 0, (void *)8, NULL));
  DO(read(up, &number, 8));
}
