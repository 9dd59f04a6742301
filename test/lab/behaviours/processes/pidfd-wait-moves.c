// A wait, and a poll, for a process by its descriptor last until it has ended.
#include "../../lab.h"
#include <poll.h>

static pid_t child;
static void end_it(void) { kill(child, SIGKILL); }

BEHAVIOUR {
  for (int turn = 0; turn < 2; ++turn) {
    child = fork();
    if (child == 0) for (;;) pause();
    const int fd = (int)syscall(SYS_pidfd_open, child, 0);
    siginfo_t info;
    pthread_t other = later(60, end_it);
    struct pollfd poll_it = {.fd = fd, .events = POLLIN};
    if (turn) DO(poll(&poll_it, 1, -1));
    DO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
    SAY("%d %d", info.si_code, info.si_status);
    pthread_join(other, NULL);
    close(fd);
  }
}
