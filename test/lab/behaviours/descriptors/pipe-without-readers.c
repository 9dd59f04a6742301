// Writing to a pipe that nobody reads gives EPIPE and SIGPIPE, also to a writer that waits.
#include "../../lab.h"

static int ends[2];
static volatile sig_atomic_t pipes;
static void handler(int signal) { pipes += signal == SIGPIPE; }
static void shut(void) { close(ends[0]); }

BEHAVIOUR {
  static char large[70000];
  signal(SIGPIPE, handler);
  DO(pipe(ends));
  DO(close(ends[0]));
  DO(write(ends[1], "x", 1));
  SAY("%d", pipes);
  DO(write(ends[1], "x", 0));
  DO(close(ends[1]));
  DO(pipe(ends));
  DO(write(ends[1], large, 65536));
  pthread_t other = later(60, shut);
  DO(write(ends[1], large, 10));
  pthread_join(other, NULL);
  SAY("%d", pipes);
  signal(SIGPIPE, SIG_IGN);
  DO(write(ends[1], "x", 1));
  signal(SIGPIPE, SIG_DFL);
  const pid_t child = FORK();
  if (child == 0) {
    AT(_exit((int)write(ends[1], "x", 1)));
  }
  SAY("child: %d", ended(child));
}
