// What epoll refuses, and that closing all descriptors of a file takes it out.
#include "../../lab.h"
#include <sys/epoll.h>

static void *volatile bad = (void *)16, *volatile none;
static volatile int minus = -3;

BEHAVIOUR {
  int ends[2];
  struct epoll_event e = {EPOLLIN, {.u64 = 1}}, got[2];
  const int ep = DO(epoll_create1(0)), file = DO(open("file", O_RDWR | O_CREAT, 0600)), other = DO(epoll_create1(0));
  if (pipe(ends)) abort();
  DO(epoll_create1(5));
  DO(epoll_create(0));
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, file, &e));
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &e));
  DO(epoll_ctl(99, EPOLL_CTL_ADD, ends[0], &e));
  DO(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &e));
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
  DO(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
  DO(epoll_ctl(ep, EPOLL_CTL_DEL, ends[0], NULL));
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], NULL));
  DO(epoll_ctl(ep, 9, ends[0], &e));
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, other, &e));
  DO(epoll_ctl(other, EPOLL_CTL_ADD, ep, &e));
  e.events = EPOLLIN | EPOLLEXCLUSIVE;
  DO(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
  DO(epoll_wait(ep, got, 0, 0));
  DO(epoll_wait(ep, got, minus, 0));
  DO(epoll_wait(ends[0], got, 1, 0));
  DO(epoll_wait(ep, none, 1, 0));
  if (write(ends[1], "x", 1) != 1) abort();
  DO(epoll_wait(ep, bad, 1, 0));
  DO(epoll_wait(ep, got, 2, 0));
  close(ends[0]);
  DO(epoll_wait(ep, got, 2, 0));
}
