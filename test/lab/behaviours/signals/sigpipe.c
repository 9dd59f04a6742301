// Writing where nobody reads fails with EPIPE, and SIGPIPE has been handled when the call returns.
#include "../../lab.h"

static volatile sig_atomic_t count, mine;
static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)context, ++count, mine = info->si_pid == getpid(); }

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGPIPE, &action, NULL);
  int ends[2];
  DO(pipe(ends));
  DO(close(ends[0]));
  DO(write(ends[1], "x", 1));
  SAY("%d, own %d", count, mine);
  DO(write(ends[1], "", 0));
  SAY("%d", count);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) abort();
  close(ends[0]);
  DO(send(ends[1], "x", 1, MSG_NOSIGNAL));
  SAY("%d", count);
  DO(send(ends[1], "x", 1, 0));
  SAY("%d", count);
  signal(SIGPIPE, SIG_IGN);
  DO(write(ends[1], "x", 1));
  signal(SIGPIPE, SIG_DFL);
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("child");
    write(ends[1], "x", 1) < 0 ? _exit(1) : _exit(2);
  }
  SAY("%d", ended(child));
}
