// select, ppoll and pselect6 that a handler ends tell what is left of their time, at whatever moment of a move it comes.
#include "../../interrupts.h"
#include <poll.h>
#include <sys/select.h>

static int ends[2];
static atomic_bool over;
static atomic_int late;

// A machine that is busy, or a move, may let the handler run before the call has begun: then there is a second, much later.
static void send_until_over(void) {
  send_signal();
  for (int waited = 0; !over; ++waited) {
    sleep_ms(1);
    if (waited < 3000) continue;
    waited = 0;
    ++late;
    send_signal();
  }
}

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
    over = false;
    pthread_t sender = later(3 + i * 7 % 40, send_until_over);
    long result = 0;
    errno = 0;
    if (i % 3 == 0) AT(result = syscall(SYS_ppoll, &one, 1, &time, NULL, 8));
    if (i % 3 == 1) AT(result = syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &time, NULL));
    if (i % 3 == 2) AT(result = syscall(SYS_select, ends[0] + 1, &set, NULL, NULL, &left));
    if (result == -1 && errno == EINTR) ++ended;
    over = true;
    pthread_join(sender, NULL);
    const long seconds = i % 3 == 2 ? left.tv_sec : time.tv_sec, rest = i % 3 == 2 ? left.tv_usec : time.tv_nsec;
    if (seconds <= 29 && seconds >= 20 && rest > 0) ++told;
  }
  SAY("%d ended, %d told", ended, told);
  SAY("%s were ended by the first signal", late <= 5 ? "most" : "few");
}
