// What each signal does to a process that handles none: end, end with a core, stop, or nothing.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  int ends[2];
  if (pipe(ends)) abort();
  for (int s = 1; s < 35; ++s) {
    if (s == 32 || s == 33) continue;                 // the C library's own
    if (s == SIGTSTP || s == SIGTTIN || s == SIGTTOU) continue;   // a stop, but not of a group of processes that nobody could continue
    const pid_t child = s % 3 ? fork() : FORK();
    if (child == 0) {
      if (write(ends[1], "x", 1) != 1) abort();
      sleep_ms(20000);
      _exit(0);
    }
    char c;
    if (read(ends[0], &c, 1) != 1) abort();
    int status = 0;
    kill(child, s);
    const bool does_nothing = s == SIGCHLD || s == SIGCONT || s == SIGURG || s == SIGWINCH;
    if (does_nothing) {
      sleep_ms(5);
      SAY("%d: %s", s, waitpid(child, &status, WNOHANG) ? "ENDED" : "nothing");
      kill(child, SIGKILL);
    } else {
      waitpid(child, &status, WUNTRACED);
      SAY("%d: %s %d", s, WIFSTOPPED(status) ? "stopped" : WIFSIGNALED(status) ? "killed" : "EXITED", WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
      if (WIFSTOPPED(status)) kill(child, SIGKILL);
      else continue;
    }
    SAY("%d", ended(child));
  }
}
