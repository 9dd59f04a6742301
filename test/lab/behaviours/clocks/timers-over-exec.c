// An alarm and an open timerfd outlive execve, timers of timer_create do not.
#include "../../lab.h"
#include <sys/time.h>
#include <sys/timerfd.h>

extern char **environ;

BEHAVIOUR {
  struct itimerspec when = {.it_value = {0, 200000000}}, long_time = {.it_value = {100, 0}}, now;
  if (lab_argc == 1) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    timer_t timer;
    TRY(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    DO(timer_settime(timer, 0, &long_time, NULL));
    const int fd = DO(timerfd_create(CLOCK_MONOTONIC, 0));
    DO(timerfd_settime(fd, 0, &when, NULL));
    AT(alarm(1));
    char number[12], id[12];
    snprintf(number, sizeof number, "%d", fd);
    snprintf(id, sizeof id, "%d", (int)(long)timer);
    char *words[] = {lab_argv[0], number, id, NULL};
    AT(execve("/proc/self/exe", words, environ));
    abort();
  }
  uint64_t number = 0;
  DO(read(atoi(lab_argv[1]), &number, 8));
  SAY("%lu", (unsigned long)number);
  DO(syscall(SYS_timer_gettime, atoi(lab_argv[2]), &now));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  int signal;
  DO(sigwait(&set, &signal));
  SAY("%d", signal == SIGALRM);
}
