// Each thread's processor time is its own, and others may ask for it.
#include "../../lab.h"
#include <sys/resource.h>

static volatile int phase;
static void *burn(void *none) {
  const double until = seconds_now(CLOCK_THREAD_CPUTIME_ID) + 0.06;
  while (seconds_now(CLOCK_THREAD_CPUTIME_ID) < until) continue;
  phase = 1;
  while (phase < 2) sleep_ms(1);
  return none;
}

// A child that passes no point stays where it is.
BEHAVIOUR {
  for (int turn = 0; turn < 4; ++turn) {
    const pid_t child = FORK();
    if (child == 0) {
      pthread_t thread;
      clockid_t clock;
      struct rusage usage;
      phase = 0;
      pthread_create(&thread, NULL, burn, NULL);
      pthread_getcpuclockid(thread, &clock);
      while (!phase) sleep_ms(1);
      SAY("of the other %s", seconds_now(clock) >= 0.06 ? "enough" : "TOO LITTLE");
      SAY("of this %s", seconds_now(CLOCK_THREAD_CPUTIME_ID) < 0.06 ? "little" : "TOO MUCH");
      SAY("of all %s", seconds_now(CLOCK_PROCESS_CPUTIME_ID) >= 0.06 ? "enough" : "TOO LITTLE");
      getrusage(RUSAGE_THREAD, &usage);
      SAY("of this %s", usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 < 0.06 ? "little" : "TOO MUCH");
      phase = 2;
      pthread_join(thread, NULL);
      _exit(0);
    }
    SAY("child %d", ended(child));
  }
}
