// A pidfd names one process for ever: it is polled, signalled and waited for, and says ESRCH when that one is gone.
#include "../../lab.h"
#include <poll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

BEHAVIOUR {
  DO(syscall(SYS_pidfd_open, -1, 0));
  DO(syscall(SYS_pidfd_open, 0x7ffffff0, 0));
  DO(syscall(SYS_pidfd_open, getpid(), 1));
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  const int fd = (int)TRY(syscall(SYS_pidfd_open, child, O_NONBLOCK));
  DO(fcntl(fd, F_GETFD));
  DO(fcntl(fd, F_GETFL) & O_NONBLOCK);
  siginfo_t info;
  DO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
  struct pollfd poll_it = {.fd = fd, .events = POLLIN};
  DO(poll(&poll_it, 1, 20));
  DO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
  DO(syscall(SYS_pidfd_send_signal, fd, 65, NULL, 0));
  DO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 1));
  DO(syscall(SYS_pidfd_send_signal, 1, SIGTERM, NULL, 0));
  DO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
  DO(poll(&poll_it, 1, -1));
  SAY("events %d", poll_it.revents & POLLIN);
  DO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
  DO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
  SAY("status %d", info.si_status);
  DO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}
