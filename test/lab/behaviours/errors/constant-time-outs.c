// A time-out may be constant: then what is left of it is not told.
#include "../../lab.h"
#include <poll.h>
#include <sys/select.h>

BEHAVIOUR {
  int ends[2];
  struct timespec *time = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DO(mprotect(time, 4096, PROT_READ));
  DO(pipe(ends));
  struct pollfd wait = {ends[0], POLLIN, 7};
  DO(syscall(SYS_ppoll, &wait, 1, time, NULL, 8));
  SAY("%d", wait.revents);
  DO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, time, NULL));
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  DO(syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, time, NULL));
  SAY("%d", FD_ISSET(ends[0], &set));
}
