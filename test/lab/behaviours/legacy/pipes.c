// pipe, dup2, poll, select, epoll_create, epoll_wait, eventfd, signalfd, inotify_init by their own numbers.
#include "../../lab.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

BEHAVIOUR {
  int ends[2];
  DO(syscall(SYS_pipe, ends));
  SAY("%d %d", fcntl(ends[0], F_GETFD), fcntl(ends[1], F_GETFL) & O_ACCMODE);
  DO(syscall(SYS_dup2, ends[0], 50));
  DO(syscall(SYS_dup2, 50, 50));
  DO(syscall(SYS_dup2, 51, 51));
  struct pollfd one = {50, POLLIN, 7};
  DO(syscall(SYS_poll, &one, 1, 30));
  SAY("%d", one.revents);
  DO(write(ends[1], "x", 1));
  DO(syscall(SYS_poll, &one, 1, -1));
  SAY("%d", one.revents);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(50, &set);
  struct timeval time = {1, 500000};
  DO(syscall(SYS_select, 51, &set, NULL, NULL, &time));
  SAY("%d, %d", FD_ISSET(50, &set) != 0, time.tv_sec == 1);
  DO(syscall(SYS_epoll_create, 0));
  const long queue = DO(syscall(SYS_epoll_create, 1));
  struct epoll_event event = {EPOLLIN, {.u64 = 0x123456789abcdef}};
  DO(epoll_ctl((int)queue, EPOLL_CTL_ADD, 50, &event));
  memset(&event, 0, sizeof event);
  DO(syscall(SYS_epoll_wait, queue, &event, 1, -1));
  SAY("%x %lx", event.events, event.data.u64);
  DO(syscall(SYS_epoll_wait, queue, &event, 0, 0));
  const long count = DO(syscall(SYS_eventfd, 5));
  uint64_t value = 0;
  DO(read((int)count, &value, 8));
  SAY("%lu", value);
  uint64_t mask = 1ull << (SIGUSR1 - 1);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  const long signals = DO(syscall(SYS_signalfd, -1, &mask, 8));
  AT(raise(SIGUSR1));
  char info[128] = "";
  DO(read((int)signals, info, sizeof info));
  SAY("%d", *(int *)(void *)info);
  HOLDS(syscall(SYS_inotify_init) >= 0);
}
