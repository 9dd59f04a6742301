// A child has its parent's handlers, mask and alternate stack, but none of its pending signals, alarms and timers.
#include "../../lab.h"
#include <sys/time.h>

static char stack[65536];
static volatile sig_atomic_t count;
static void handler(int signal) {
  char here;
  count += signal == SIGUSR2 && &here >= stack && &here < stack + sizeof stack;
}

BEHAVIOUR {
  stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&mine, NULL);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  sigset_t set, now;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  DO(kill(getpid(), SIGUSR1));
  DO(raise(SIGUSR1));
  struct itimerval long_time = {.it_value = {100, 0}}, left;
  DO(setitimer(ITIMER_REAL, &long_time, NULL));
  timer_t timer;
  struct itimerspec when = {.it_value = {100, 0}};
  TRY(timer_create(CLOCK_MONOTONIC, NULL, &timer));
  DO(timer_settime(timer, 0, &when, NULL));
  const pid_t child = FORK();
  if (child == 0) {
    DO(sigpending(&now));
    SAY("pending %d", sigismember(&now, SIGUSR1));
    sigprocmask(SIG_BLOCK, NULL, &now);
    SAY("blocked %d %d", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2));
    DO(getitimer(ITIMER_REAL, &left));
    SAY("left %ld %ld", left.it_value.tv_sec, (long)left.it_value.tv_usec);
    DO(timer_gettime(timer, &when));
    DO(raise(SIGUSR2));
    SAY("handled on the alternate stack %d", count);
    _exit(0);
  }
  SAY("child %d", ended(child));
  DO(sigpending(&now));
  SAY("pending %d", sigismember(&now, SIGUSR1));
  getitimer(ITIMER_REAL, &left);
  timer_gettime(timer, &when);
  SAY("still set %d %d", left.it_value.tv_sec > 50, when.it_value.tv_sec > 50);
}
