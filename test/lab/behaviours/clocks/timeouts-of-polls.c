// poll, ppoll, select, pselect, epoll_wait and epoll_pwait2 wait as long as they are told, wherever they go meanwhile.
#include "../../lab.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

BEHAVIOUR {
  int ends[2];
  if (pipe(ends)) abort();
  struct pollfd one = {.fd = ends[0], .events = POLLIN};
  struct timespec time = {0, 150000000};
  struct timeval left = {0, 150000};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct epoll_event event = {.events = EPOLLIN};
  const int fd = epoll_create1(0);
  epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event);
  LASTS(0.15, DO(poll(&one, 1, 150)));
  LASTS(0.15, DO(ppoll(&one, 1, &time, NULL)));
  SAY("%ld %ld", (long)time.tv_sec, time.tv_nsec);
  LASTS(0.15, DO(select(ends[0] + 1, &set, NULL, NULL, &left)));
  SAY("left %ld %ld, in the set %d", (long)left.tv_sec, (long)left.tv_usec, FD_ISSET(ends[0], &set));
  FD_SET(ends[0], &set);
  LASTS(0.15, DO(pselect(ends[0] + 1, &set, NULL, NULL, &time, NULL)));
  SAY("%ld %ld, in the set %d", (long)time.tv_sec, time.tv_nsec, FD_ISSET(ends[0], &set));
  LASTS(0.15, DO(epoll_wait(fd, &event, 1, 150)));
  LASTS(0.15, DO(epoll_pwait(fd, &event, 1, 150, NULL)));
  LASTS(0.15, DO(epoll_pwait2(fd, &event, 1, &time, NULL)));
  LASTS(0.15, DO(poll(NULL, 0, 150)));
  left = (struct timeval){0, 150000};
  LASTS(0.15, DO(select(0, NULL, NULL, NULL, &left)));
  LASTS(0.15, DO(syscall(SYS_ppoll, &one, 1, &time, NULL, 8)));
  SAY("left %ld %ld", (long)time.tv_sec, time.tv_nsec);
}
