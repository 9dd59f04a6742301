// Timers of CPU time count what the program computes, and their signals come when it has used so much: ITIMER_PROF, ITIMER_VIRTUAL, timer_create.
// home: setitimer, getitimer, timer_create
// refused: it has a timer of CPU time
#include "../../lab.h"
#include <sys/time.h>

static volatile sig_atomic_t came;
static void count(int signal) { (void)signal, ++came; }

static double used(void) { return seconds_now(CLOCK_PROCESS_CPUTIME_ID); }
// Mostly in the program itself: ITIMER_VIRTUAL does not count what the kernel does for it.
static void spin(void) {
  for (volatile int i = 0; i < 100000; ++i) continue;
}
static void compute(double seconds) {
  for (const double from = used(); used() - from < seconds;) spin();
}

// Not before its time, and not much later: by CPU time, whatever else the machine does.
static void comes_after(double seconds) {
  const double from = used();
  while (!came && used() - from < 5) spin();
  const double took = used() - from;
  HOLDS(took > seconds * 0.4 && took < seconds + 1.5);
  came = 0;
}

static void by_itimer(int which) {
  const struct itimerval once = {{0, 0}, {0, 100000}}, often = {{0, 50000}, {0, 50000}}, none = {{0, 0}, {0, 0}};
  struct itimerval left;
  AT(setitimer(which, &once, NULL));
  AT(comes_after(0.1));
  DO(getitimer(which, &left));
  SAY("%ld %ld", (long)left.it_value.tv_sec, (long)left.it_value.tv_usec);
  AT(setitimer(which, &often, NULL));
  AT(compute(0.3));
  HOLDS(came >= 1 && came <= 9);
  DO(setitimer(which, &none, &left));
  HOLDS(left.it_interval.tv_usec == 50000 && left.it_value.tv_usec <= 54000);
  came = 0;
}

static void by_timer(clockid_t clock) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  DO(timer_create(clock, &event, &timer));
  const struct itimerspec once = {{0, 0}, {0, 100000000}};
  DO(timer_settime(timer, 0, &once, NULL));
  AT(comes_after(0.1));
  DO(timer_delete(timer));
}

BEHAVIOUR {
  signal(SIGPROF, count);
  signal(SIGVTALRM, count);
  signal(SIGUSR1, count);
  AT(compute(0.05));
  by_itimer(ITIMER_PROF);
  by_itimer(ITIMER_VIRTUAL);
  by_timer(CLOCK_PROCESS_CPUTIME_ID);
  by_timer(CLOCK_THREAD_CPUTIME_ID);
  clockid_t clock;
  pthread_getcpuclockid(pthread_self(), &clock);
  by_timer(clock);
}
