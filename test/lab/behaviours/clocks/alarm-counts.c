// alarm tells what was left, takes the place of the last one, is undone by 0, shares its timer with setitimer, and comes while away.
#include "../../lab.h"
#include <sys/time.h>

static volatile sig_atomic_t count;
static void handler(int signal) { (void)signal, ++count; }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGALRM, &action, NULL);
  unsigned left;
  AT(left = alarm(100));
  SAY("%u", left);
  AT(left = alarm(50));
  HOLDS(left > 90 && left <= 100);
  AT(left = alarm(0));
  HOLDS(left > 40 && left <= 50);
  AT(left = alarm(0));
  SAY("%u", left);
  struct itimerval soon = {.it_value = {30, 500000}}, old;
  DO(setitimer(ITIMER_REAL, &soon, NULL));
  AT(left = alarm(1));
  HOLDS(left > 20 && left <= 31);
  while (!count) sleep_ms(5);
  SAY("count %d", count);
  DO(getitimer(ITIMER_REAL, &old));
  SAY("%ld %ld", old.it_value.tv_sec, (long)old.it_value.tv_usec);
  soon = (struct itimerval){.it_value = {0, 1000000}};
  DO(setitimer(ITIMER_REAL, &soon, &old));
  DO(setitimer(3, NULL, NULL));
  DO(getitimer(3, &old));
  DO(syscall(SYS_getitimer, ITIMER_REAL, (void *)8));
  DO(syscall(SYS_setitimer, ITIMER_REAL, (void *)8, NULL));
}
