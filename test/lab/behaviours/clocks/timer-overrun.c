// A periodic timer whose signal waits queues it once and counts the rest as overrun.
#include "../../lab.h"

BEHAVIOUR {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 9};
  timer_t timer;
  struct itimerspec pace = {{0, 5000000}, {0, 5000000}}, none = {{0, 0}, {0, 0}}, old;
  TRY(timer_create(CLOCK_MONOTONIC, &event, &timer));
  for (int turn = 0; turn < 3; ++turn) {
    const double from = seconds_now(CLOCK_MONOTONIC);
    DO(timer_settime(timer, 0, &pace, NULL));
    AT(sleep_ms(60));
    DO(timer_settime(timer, 0, &none, &old));
    const int most = (int)((seconds_now(CLOCK_MONOTONIC) - from) / 0.005);
    HOLDS(old.it_interval.tv_nsec == 5000000);
    siginfo_t info;
    struct timespec zero = {0, 0};
    // Disarmed, or armed anew, its signal may be dropped: what has come is counted.
    lab_point("sigtimedwait");
    int got = 0;
    while (sigtimedwait(&set, &info, &zero) > 0) {
      ++got;
      if (info.si_code != SI_TIMER || info.si_value.sival_int != 9 || info.si_overrun > most) SAY("WRONG %d of %d", info.si_overrun, most);
    }
    HOLDS(got <= 1);
    const double armed = seconds_now(CLOCK_MONOTONIC);
    DO(timer_settime(timer, 0, &pace, NULL));
    sleep_ms(60);
    DO(sigwaitinfo(&set, &info) - SIGRTMIN);
    if (info.si_overrun < 8) SAY("only %d after %.3f s", info.si_overrun, seconds_now(CLOCK_MONOTONIC) - armed);
    HOLDS(info.si_overrun >= 8);
    HOLDS(timer_getoverrun(timer) == info.si_overrun);
    DO(timer_settime(timer, 0, &none, NULL));
    while (sigtimedwait(&set, &info, &zero) > 0) continue;
  }
  DO(timer_delete(timer));
}
