// An eventfd is the same for parent and child, and an epoll of the parent sees what the child adds.
#include "../../lab.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

BEHAVIOUR {
  eventfd_t value = 0;
  const int fd = DO(eventfd(0, 0)), back = DO(eventfd(0, EFD_SEMAPHORE)), ep = DO(epoll_create1(0));
  struct epoll_event e = {EPOLLIN, {.u32 = 5}};
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
  const pid_t child = FORK();
  if (child == 0) {
    sleep_ms(50);
    AT(eventfd_write(fd, 40));
    AT(eventfd_read(back, &value));
    AT(eventfd_write(fd, 2 + value));
    _exit(0);
  }
  e.data.u32 = 0;
  DO(epoll_wait(ep, &e, 1, -1));
  SAY("%u", e.data.u32);
  DO(eventfd_read(fd, &value));
  SAY("%d", (int)value);
  DO(eventfd_write(back, 2));
  DO(eventfd_read(fd, &value));
  SAY("%d", (int)value);
  SAY("%d", ended(child));
  DO(eventfd_read(back, &value));
}
