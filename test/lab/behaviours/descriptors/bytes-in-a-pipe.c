// FIONREAD tells what waits in a pipe, F_SETPIPE_SZ changes its size but never below what it holds.
#include "../../lab.h"
#include <sys/ioctl.h>

BEHAVIOUR {
  int ends[2], n = -1;
  char page[4096] = "";
  DO(pipe2(ends, O_NONBLOCK));
  DO(fcntl(ends[0], F_GETPIPE_SZ));
  DO(ioctl(ends[0], FIONREAD, &n));
  SAY("%d", n);
  for (int i = 0; i < 3; ++i) DO(write(ends[1], page, 4096));
  DO(ioctl(ends[0], FIONREAD, &n));
  SAY("%d", n);
  DO(fcntl(ends[1], F_SETPIPE_SZ, 4096));
  DO(fcntl(ends[1], F_SETPIPE_SZ, 5 * 4096));
  DO(write(ends[1], page, 100));
  DO(ioctl(ends[1], FIONREAD, &n));
  SAY("%d", n);
  DO(ioctl(ends[0], FIONREAD, (int *)8));
  DO(fcntl(0x7fffffff, F_GETPIPE_SZ));
  DO(read(ends[0], page, 4096));
  DO(fcntl(ends[1], F_SETPIPE_SZ, -1));
}
