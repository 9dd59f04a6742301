// What a failing call was to fill is as it was.
#include "../../lab.h"
#include <sys/epoll.h>
#include <sys/resource.h>

static unsigned char room[512];
static void same(void) {
  int changed = 0;
  for (size_t i = 0; i < sizeof room; ++i) changed += room[i] != 0x5a;
  SAY("%d changed", changed);
  memset(room, 0x5a, sizeof room);
}

BEHAVIOUR {
  memset(room, 0x5a, sizeof room);
  DO(fstat(-1, (struct stat *)room));
  DO(pread(-1, room, 100, 0));
  DO(statx(AT_FDCWD, "missing", 0, STATX_ALL, (struct statx *)room));
  DO(readlink("missing", (char *)room, 100));
  same();
  DO(getrlimit(99, (struct rlimit *)room));
  DO(getrusage(99, (struct rusage *)room));
  DO(pipe2((int *)room, 0x10));
  DO(socketpair(99, 1, 0, (int *)room));
  DO(epoll_wait(-1, (struct epoll_event *)room, 3, 0));
  same();
  DO(waitpid(-1, (int *)room, 0));
  DO(syscall(SYS_statfs, "missing", room));
  DO(syscall(SYS_getdents64, 0, room, 100) < 0);
  DO(getcwd((char *)room, 1) == NULL);
  DO(syscall(SYS_clock_getres, 999, room));
  DO(syscall(SYS_timer_gettime, 999, room));
  DO(syscall(SYS_sched_rr_get_interval, -1, room));
  DO(syscall(SYS_getitimer, 9, room));
  same();
}
