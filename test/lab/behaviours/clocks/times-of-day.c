// time, gettimeofday, clock_gettime and the time a file is written at tell one time of day.
#include "../../lab.h"
#include <sys/time.h>

BEHAVIOUR {
  for (int turn = 0; turn < 6; ++turn) {
    struct timeval day;
    struct timezone zone = {7, 7};
    AT(gettimeofday(&day, NULL));
    const double a = seconds_now(CLOCK_REALTIME), b = (double)day.tv_sec + (double)day.tv_usec / 1e6;
    const time_t c = time(NULL);
    time_t d = 0;
    const time_t e = (time_t)syscall(SYS_time, &d);
    syscall(SYS_gettimeofday, &day, &zone);
    const double f = (double)day.tv_sec + (double)day.tv_usec / 1e6;
    HOLDS(a >= b - 1e-5 && a < b + 1);
    HOLDS((double)c <= a + 0.1 && (double)c > a - 2 && d == e && e >= c && e <= c + 1);
    HOLDS(f >= a - 1e-5 && f < a + 1 && zone.tz_minuteswest != 7);
    const int fd = open("file", O_CREAT | O_TRUNC | O_WRONLY, 0600);
    struct stat stat;
    fstat(fd, &stat);
    close(fd);
    const double written = (double)stat.st_mtim.tv_sec + (double)stat.st_mtim.tv_nsec / 1e9;
    HOLDS(written > f - 0.1 && written < f + 1);
  }
}
