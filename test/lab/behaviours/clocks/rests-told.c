// select, ppoll and pselect6 that a handler ends tell what is left of their time, at whatever moment of a move it comes.
#include "../../interrupts.h"
#include <poll.h>
#include <sys/select.h>

static int ends[2];

BEHAVIOUR {
  if (pipe(ends)) abort();
  struct pollfd one = {.fd = ends[0], .events = POLLIN};
  handle(SIGUSR1, 0);
  int told = 0, ended = 0;
  for (int i = 0; i < 30; ++i) {
    struct timespec time = {30, 0};
    struct timeval left = {30, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    caught = 0;
    pthread_t sender = later(3 + i * 7 % 40, send_signal);
    long result = 0;
    errno = 0;
    if (i % 3 == 0) AT(result = syscall(SYS_ppoll, &one, 1, &time, NULL, 8));
    if (i % 3 == 1) AT(result = syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &time, NULL));
    if (i % 3 == 2) AT(result = syscall(SYS_select, ends[0] + 1, &set, NULL, NULL, &left));
    if (result == -1 && errno == EINTR) ++ended;
    pthread_join(sender, NULL);
    const long seconds = i % 3 == 2 ? left.tv_sec : time.tv_sec, rest = i % 3 == 2 ? left.tv_usec : time.tv_nsec;
    if (seconds <= 29 && seconds >= 20 && rest > 0) ++told;
  }
  SAY("%d ended, %d told", ended, told);
}
