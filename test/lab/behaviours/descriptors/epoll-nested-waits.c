// An epoll in an epoll wakes the outer one; epoll_pwait lets a signal through that is blocked otherwise.
#include "../../lab.h"
#include <sys/epoll.h>

static int ends[2];
static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }
static void put(void) { if (write(ends[1], "x", 1) != 1) abort(); }
static void send_it(void) { kill(getpid(), SIGUSR2); }

BEHAVIOUR {
  if (pipe(ends)) abort();
  const int inner = epoll_create1(0), outer = epoll_create1(0);
  struct epoll_event e = {EPOLLIN, {.u32 = 3}}, got = {0};
  epoll_ctl(inner, EPOLL_CTL_ADD, ends[0], &e);
  e.data.u32 = 4;
  epoll_ctl(outer, EPOLL_CTL_ADD, inner, &e);
  pthread_t other = later(60, put);
  DO(epoll_wait(outer, &got, 1, -1));
  SAY("%u %x", got.data.u32, got.events);
  DO(epoll_wait(inner, &got, 1, 0));
  SAY("%u %x", got.data.u32, got.events);
  pthread_join(other, NULL);
  char c;
  DO(read(ends[0], &c, 1));
  LASTS(0.06, DO(epoll_wait(outer, &got, 1, 60)));
  sigset_t usr2, none;
  sigemptyset(&none), sigemptyset(&usr2), sigaddset(&usr2, SIGUSR2);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR2, &action, NULL);
  sigprocmask(SIG_BLOCK, &usr2, NULL);
  other = later(60, send_it);
  DO(epoll_pwait(outer, &got, 1, -1, &none));
  SAY("caught %d", caught == SIGUSR2);
  pthread_join(other, NULL);
  struct timespec t = {0, 60000000};
  LASTS(0.06, DO(epoll_pwait2(outer, &got, 1, &t, NULL)));
}
