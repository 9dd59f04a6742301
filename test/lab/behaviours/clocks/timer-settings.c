// timer_settime and timer_gettime: absolute and relative, what was set before, what is refused.
#include "../../lab.h"

BEHAVIOUR {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_NONE}, bad = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
  struct itimerspec when = {{7, 0}, {100, 0}}, old, now;
  TRY(timer_create(CLOCK_MONOTONIC, &event, &timer));
  DO(timer_gettime(timer, &now));
  SAY("%ld %ld", (long)now.it_value.tv_sec, (long)now.it_interval.tv_sec);
  DO(timer_settime(timer, 0, &when, &old));
  DO(timer_gettime(timer, &now));
  HOLDS(now.it_value.tv_sec >= 90 && now.it_value.tv_sec <= 100 && now.it_interval.tv_sec == 7);
  clock_gettime(CLOCK_MONOTONIC, &when.it_value);
  when.it_value.tv_sec += 50;
  DO(timer_settime(timer, TIMER_ABSTIME, &when, &old));
  HOLDS(old.it_value.tv_sec >= 85 && old.it_value.tv_sec <= 100);
  DO(timer_gettime(timer, &now));
  HOLDS(now.it_value.tv_sec >= 40 && now.it_value.tv_sec <= 50);
  when.it_value.tv_sec -= 60;                         // past: at once, and then at its pace
  DO(timer_settime(timer, TIMER_ABSTIME, &when, NULL));
  DO(timer_gettime(timer, &now));
  HOLDS(now.it_value.tv_sec <= 7 && now.it_interval.tv_sec == 7);
  when.it_value.tv_nsec = 1000000000;
  DO(timer_settime(timer, 0, &when, NULL));
  when.it_value.tv_nsec = -1;
  DO(timer_settime(timer, 0, &when, NULL));
  when.it_value = (struct timespec){0, 0};
  DO(timer_settime(timer, 0, &when, NULL));
  DO(timer_gettime(timer, &now));
  SAY("%s", now.it_value.tv_sec || now.it_value.tv_nsec ? "its pace goes on" : "it stands");
  DO(timer_getoverrun(timer));
  DO(timer_delete(timer));
  DO(syscall(SYS_timer_delete, 12345));
  DO(syscall(SYS_timer_gettime, 12345, &now));
  DO(timer_create(99, &event, &timer));
  DO(timer_create(CLOCK_MONOTONIC, &bad, &timer));
  DO(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, (void *)8));
}
