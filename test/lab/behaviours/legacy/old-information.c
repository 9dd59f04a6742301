// sysfs, ustat, sysinfo, times, getitimer, sched_rr_get_interval, gettimeofday by number, with their structures.
// home: sysfs
#include "../../lab.h"
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/vfs.h>

BEHAVIOUR {
  struct sysinfo info;
  DO(syscall(SYS_sysinfo, &info));
  HOLDS(info.totalram > 0 && info.procs > 0);
  DO(syscall(SYS_sysfs, 3));
  char name[64] = "";
  DO(syscall(SYS_sysfs, 2, 0, name));
  SAY("%s", name);
  DO(syscall(SYS_sysfs, 1, "proc") >= 0);
  char buffer[64];
  DO(syscall(SYS_ustat, 0xffff, buffer));
  struct timeval now;
  struct timezone zone = {9, 9};
  DO(syscall(SYS_gettimeofday, &now, &zone));
  SAY("%d %d", zone.tz_minuteswest, zone.tz_dsttime);
  struct itimerval timer;
  memset(&timer, 7, sizeof timer);
  DO(syscall(SYS_getitimer, ITIMER_REAL, &timer));
  SAY("%ld %ld", timer.it_value.tv_sec, timer.it_interval.tv_usec);
  DO(syscall(SYS_getitimer, 7, &timer));
  struct timespec slice;
  DO(syscall(SYS_sched_rr_get_interval, 0, &slice));
  struct tms used;
  HOLDS(syscall(SYS_times, &used) > 0);
}
