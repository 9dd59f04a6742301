// clone3 with CLONE_PIDFD gives a descriptor of the child, closed on exec, that becomes readable when it ends.
// home: clone3, clone
#include "../../lab.h"
#include <linux/sched.h>
#include <poll.h>

static int ends[2];
static void let_go(void) { if (write(ends[1], "x", 1) != 1) abort(); }

BEHAVIOUR {
  DO(pipe(ends));
  int fd = -1, tid = 0;
  struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)&fd, .parent_tid = (uintptr_t)&tid};
  lab_point("clone3");
  const pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (child == 0) {
    char none;
    if (read(ends[0], &none, 1) != 1) abort();
    _exit(6);
  }
  HOLDS(tid == child);
  HOLDS(fcntl(fd, F_GETFD) == FD_CLOEXEC);
  struct pollfd poll_it = {.fd = fd, .events = POLLIN};
  DO(poll(&poll_it, 1, 0));
  pthread_t other = later(60, let_go);
  DO(poll(&poll_it, 1, -1));
  pthread_join(other, NULL);
  siginfo_t info = {0};
  DO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
  SAY("status %d", info.si_status);
  DO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}
