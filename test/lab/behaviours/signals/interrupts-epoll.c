// epoll_wait and its variants end with EINTR at any handler, and write no event.
#include "../../interrupts.h"
#include <sys/epoll.h>

static int ends[2];
static void put(void) { if (write(ends[1], "x", 1) != 1) abort(); }

BEHAVIOUR {
  DO(pipe(ends));
  const int fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdefull}, got = {.events = 7, .data.u64 = 99};
  if (epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event)) abort();
  struct timespec time = {5, 0};
  INTERRUPTED(epoll_wait(fd, &got, 1, -1));
  INTERRUPTED(epoll_pwait(fd, &got, 1, 5000, NULL));
  INTERRUPTED(epoll_pwait2(fd, &got, 1, &time, NULL));
  SAY("%u %lu", got.events, (unsigned long)got.data.u64);
  RESTARTED(put, epoll_wait(fd, &got, 1, -1));
  DO(epoll_wait(fd, &got, 1, 0));
  SAY("%u %lx", got.events, (unsigned long)got.data.u64);
}
