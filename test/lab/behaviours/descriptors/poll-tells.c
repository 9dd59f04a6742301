// poll tells what is ready, what hung up, what is not open, and leaves the rest zero; time-outs and bad arguments.
// home: poll
#include "../../lab.h"
#include <poll.h>

static struct pollfd *volatile bad = (void *)8, *volatile none;

static void show(struct pollfd *p, int n) {
  for (int i = 0; i < n; ++i) SAY("  %d: %x -> %x", i, p[i].events, p[i].revents);
}

BEHAVIOUR {
  int a[2], b[2], s[2];
  if (pipe(a) || pipe(b) || socketpair(AF_UNIX, SOCK_STREAM, 0, s)) abort();
  close(b[1]);
  if (write(a[1], "x", 1) != 1 || shutdown(s[1], SHUT_WR)) abort();
  struct pollfd p[8] = {{a[0], POLLIN, -1}, {a[1], POLLOUT | POLLIN, -1}, {b[0], POLLIN, -1}, {777, POLLIN, -1}, {-5, POLLIN, -1}, {s[0], POLLRDHUP | POLLIN | POLLOUT, -1}, {b[0], 0, -1}, {a[0], 0, -1}};
  DO(poll(p, 8, -1));
  show(p, 8);
  close(s[1]);
  DO(poll(p + 5, 1, 0));
  show(p + 5, 1);
  close(a[0]);
  DO(poll(p + 1, 1, 100));
  show(p + 1, 1);
  LASTS(0.05, DO(poll(NULL, 0, 50)));
  LASTS(0.05, DO(poll(p + 4, 1, 50)));
  DO(poll(bad, 2, 0));
  DO(poll(none, 3, 0));
  struct timespec t = {0, 1000000000}, none = {0, 0};
  DO(ppoll(p, 2, &t, NULL));
  t.tv_nsec = -1;
  DO(ppoll(p, 2, &t, NULL));
  DO(ppoll(p, 8, &none, NULL));
  volatile nfds_t many = 1u << 31;
  DO(poll(p, many, 0));
}
