// clock_getres tells the resolution; clocks that are none, times that are none and bad pointers are refused.
#include "../../lab.h"

BEHAVIOUR {
  struct timespec t = {77, 77}, bad = {0, 1000000000}, negative = {-1, 0}, under = {0, -1}, little = {0, 1};
  const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID, CLOCK_BOOTTIME};
  for (int i = 0; i < 5; ++i) {
    t = (struct timespec){77, 77};
    DO(clock_getres(clocks[i], &t));
    SAY("%ld %ld", (long)t.tv_sec, t.tv_nsec);
  }
  DO(clock_getres(CLOCK_MONOTONIC, NULL));
  DO(clock_getres(99, &t));
  DO(clock_gettime(99, &t));
  DO(syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8));
  DO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8));
  DO(syscall(SYS_gettimeofday, (void *)8, NULL));
  DO(syscall(SYS_time, (void *)8));
  DO(nanosleep(&bad, &t));
  DO(nanosleep(&negative, &t));
  DO(nanosleep(&under, &t));
  DO(nanosleep((void *)8, &t));
  DO(nanosleep(&little, (void *)8));
  DO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, &t));
  DO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &little, &t));
  DO(syscall(SYS_clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &bad, &t));
  DO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &little, &t));
  DO(syscall(SYS_clock_nanosleep, 55, 0, &little, &t));
  DO(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &little, &t));
  DO(syscall(SYS_clock_nanosleep, CLOCK_TAI, 0x100, &little, &t));
  SAY("%ld %ld", (long)t.tv_sec, t.tv_nsec);
}
