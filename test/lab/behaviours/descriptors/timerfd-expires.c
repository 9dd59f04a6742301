// A timerfd expires when it should, counts what was not read, and is the same wherever the reader is.
#include "../../lab.h"
#include <sys/timerfd.h>

BEHAVIOUR {
  uint64_t n = 0;
  struct itimerspec time = {.it_value = {0, 80000000}}, old = {{7, 7}, {7, 7}};
  const int fd = DO(timerfd_create(CLOCK_MONOTONIC, 0));
  DO(timerfd_settime(fd, 0, &time, &old));
  SAY("%ld %ld %ld", (long)old.it_value.tv_sec, old.it_value.tv_nsec, old.it_interval.tv_nsec);
  DO(read(fd, &n, 8));
  SAY("%d", (int)n);
  DO(timerfd_gettime(fd, &old));
  SAY("%ld %ld", (long)old.it_value.tv_sec, old.it_value.tv_nsec);
  time.it_value.tv_nsec = 10000000;
  time.it_interval.tv_nsec = 10000000;
  DO(timerfd_settime(fd, 0, &time, NULL));
  sleep_ms(55);
  DO(read(fd, &n, 8));
  HOLDS(n >= 5);
  time = (struct itimerspec){.it_value = {500, 0}};
  DO(timerfd_settime(fd, 0, &time, NULL));
  DO(timerfd_gettime(fd, &old));
  HOLDS(old.it_value.tv_sec >= 480 && old.it_value.tv_sec < 501);
  clock_gettime(CLOCK_MONOTONIC, &time.it_value);
  DO(timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL));
  DO(read(fd, &n, 8));
  SAY("%d", (int)n);
  DO(read(fd, &n, 4));
  time.it_value.tv_nsec = 1000000000;
  DO(timerfd_settime(fd, 0, &time, NULL));
  DO(timerfd_settime(0, 0, &time, NULL));
  DO(timerfd_create(99, 0));
  DO(timerfd_settime(fd, 0, NULL, NULL));
}
