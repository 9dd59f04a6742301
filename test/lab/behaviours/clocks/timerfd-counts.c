// A timerfd waits, counts what has passed unread, tells what is left, and is seen by poll.
#include "../../lab.h"
#include <poll.h>
#include <sys/timerfd.h>

BEHAVIOUR {
  uint64_t number = 77;
  struct itimerspec pace = {{0, 20000000}, {0, 90000000}}, now, none = {{0, 0}, {0, 0}};
  const int fd = DO(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  DO(timerfd_settime(fd, 0, &pace, NULL));
  LASTS(0, DO(read(fd, &number, 8)));
  HOLDS(number >= 1);
  AT(sleep_ms(90));
  DO(read(fd, &number, 8));
  HOLDS(number >= 4);
  struct pollfd one = {.fd = fd, .events = POLLIN};
  DO(poll(&one, 1, -1));
  DO(timerfd_gettime(fd, &now));
  HOLDS(now.it_interval.tv_nsec == 20000000 && now.it_value.tv_nsec <= 20000000);
  DO(timerfd_settime(fd, 0, &none, &now));
  HOLDS(now.it_interval.tv_nsec == 20000000);
  DO(poll(&one, 1, 60));
  DO(fcntl(fd, F_SETFL, O_NONBLOCK));
  DO(read(fd, &number, 8));
  DO(read(fd, &number, 7));
  clock_gettime(CLOCK_MONOTONIC, &pace.it_value);
  pace.it_value.tv_sec -= 1;
  pace.it_interval = (struct timespec){0, 0};
  DO(timerfd_settime(fd, TFD_TIMER_ABSTIME, &pace, NULL));
  DO(read(fd, &number, 8));
  SAY("%lu", (unsigned long)number);
  DO(write(fd, &number, 8));
}
