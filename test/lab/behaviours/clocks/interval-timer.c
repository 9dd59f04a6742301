// A periodic setitimer goes on at its pace through moves, and tells its interval and what is left.
#include "../../lab.h"
#include <sys/time.h>

static volatile sig_atomic_t count;
static void handler(int signal) { (void)signal, ++count; }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval pace = {{0, 40000}, {0, 70000}}, now, none = {{0, 0}, {0, 0}};
  DO(setitimer(ITIMER_REAL, &pace, NULL));
  const double from = seconds_now(CLOCK_MONOTONIC);
  for (int i = 0; i < 6; ++i) {
    AT(getitimer(ITIMER_REAL, &now));
    HOLDS(now.it_interval.tv_usec == 40000 && now.it_value.tv_sec == 0 && now.it_value.tv_usec <= 70000 && now.it_value.tv_usec > 0);
    const int before = count;
    while (count < before + 2) sleep_ms(1);
  }
  DO(setitimer(ITIMER_REAL, &none, &now));
  const double took = seconds_now(CLOCK_MONOTONIC) - from;
  HOLDS(now.it_interval.tv_usec == 40000 && count >= 12 && count <= (took - 0.03) / 0.04 + 1);
  const int at_end = count;
  AT(sleep_ms(100));
  HOLDS(count <= at_end + 1);
}
