// select and the raw ppoll and pselect6 tell what is left of their time, when something is ready and when a handler ended them.
#include "../../interrupts.h"
#include <poll.h>
#include <sys/select.h>

static int ends[2];
static void put(void) { if (write(ends[1], "x", 1) != 1) abort(); }

BEHAVIOUR {
  if (pipe(ends)) abort();
  struct pollfd one = {.fd = ends[0], .events = POLLIN};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval left = {30, 0};
  INTERRUPTED(select(ends[0] + 1, &set, NULL, NULL, &left));
  HOLDS(left.tv_sec <= 29 && left.tv_sec >= 25 && FD_ISSET(ends[0], &set));
  struct timespec time = {30, 0};
  INTERRUPTED(syscall(SYS_ppoll, &one, 1, &time, NULL, 8));
  HOLDS(time.tv_sec <= 29 && time.tv_sec >= 25);
  time = (struct timespec){30, 0};
  INTERRUPTED(syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &time, NULL));
  HOLDS(time.tv_sec <= 29 && time.tv_sec >= 25);
  pthread_t other = later(60, put);
  left = (struct timeval){30, 0};
  DO(select(ends[0] + 1, &set, NULL, NULL, &left));
  HOLDS(left.tv_sec <= 29 && left.tv_sec >= 25);
  pthread_join(other, NULL);
  time = (struct timespec){30, 0};
  DO(syscall(SYS_ppoll, &one, 1, &time, NULL, 8));
  HOLDS(time.tv_sec <= 29 + (time.tv_nsec > 0) && time.tv_sec >= 29);
}
