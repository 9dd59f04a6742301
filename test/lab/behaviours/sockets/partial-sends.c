// A stream takes what there is room for, and the rest when there is room again; a peer that goes ends it with EPIPE.
#include "../../lab.h"
#include <sys/ioctl.h>

static int s[2];
static char sink[1 << 20];
static size_t drained;
static void drain(void) {
  ssize_t n;
  while ((n = read(s[1], sink, sizeof sink)) > 0) drained += (size_t)n;
}
// Once some of it has come, however late the other begins.
static void shut(void) {
  int come = 0;
  while (!ioctl(s[1], FIONREAD, &come) && !come) sleep_ms(1);
  sleep_ms(30);
  close(s[1]);
}

BEHAVIOUR {
  static char data[3 << 20];
  int small = 65536;
  signal(SIGPIPE, SIG_IGN);
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  DO(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
  ssize_t first;
  AT(first = send(s[0], data, sizeof data, MSG_DONTWAIT));
  HOLDS(first > 10000 && first < 1 << 20);
  DO(send(s[0], data, 100000, MSG_DONTWAIT));
  pthread_t other = later(60, drain);
  DO(write(s[0], data, sizeof data));
  DO(shutdown(s[0], SHUT_WR));
  pthread_join(other, NULL);
  HOLDS(drained == sizeof data + (size_t)first);
  DO(write(s[0], data, 1));
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, s)) abort();
  other = later(60, shut);
  ssize_t n;
  AT(n = write(s[0], data, sizeof data));
  HOLDS(n > 0 && n < (ssize_t)sizeof data);
  pthread_join(other, NULL);
  DO(write(s[0], data, 1));
}
