// epoll tells a level as long as it lasts, an edge once for each that comes, and one-shot once until it is armed anew.
#include "../../lab.h"
#include <sys/epoll.h>

static int ep;
static void look(const char *name) {
  struct epoll_event e[4] = {0};
  const int n = DO(epoll_wait(ep, e, 4, 0));
  unsigned all = 0;
  for (int i = 0; i < n; ++i) all |= e[i].events, SAY("  %s: %llx %x", name, (long long)e[i].data.u64, e[i].events);
}

BEHAVIOUR {
  int ends[2];
  char text[8];
  ep = DO(epoll_create1(EPOLL_CLOEXEC));
  DO(pipe(ends));
  struct epoll_event e = {EPOLLIN, {.u64 = 0x1122334455667788}};
  DO(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
  DO(write(ends[1], "ab", 2));
  look("level");
  look("level");
  e.events = EPOLLIN | EPOLLET;
  DO(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
  look("edge");
  look("edge");
  DO(write(ends[1], "c", 1));
  look("edge");
  DO(read(ends[0], text, 1));
  look("edge");
  e.events = EPOLLIN | EPOLLONESHOT;
  e.data.u64 = 7;
  DO(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
  look("once");
  look("once");
  DO(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
  look("armed");
  close(ends[1]);
  e.events = 0;
  DO(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
  look("hung up");
}
