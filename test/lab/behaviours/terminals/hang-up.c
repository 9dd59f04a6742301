// When a terminal is hung up, its session's leader and foreground group get SIGHUP and SIGCONT, reads give 0, writes EIO.
#include "../../lab.h"
#include <pty.h>

static volatile sig_atomic_t hups, conts;
static void handler(int signal) { signal == SIGHUP ? ++hups : ++conts; }

BEHAVIOUR {
  int master, told[2], ready[2];
  if (pipe(told) || pipe(ready)) abort();
  lab_point("forkpty");
  const pid_t child = forkpty(&master, NULL, NULL, NULL);
  if (child == 0) {
    signal(SIGHUP, handler);
    signal(SIGCONT, handler);
    if (write(ready[1], "r", 1) != 1) abort();
    lab_point("wait for it");
    while (!hups || !conts) sleep_ms(1);
    char text[4];
    lab_point("read");
    const ssize_t got = read(0, text, 4);
    lab_point("write");
    const ssize_t put = write(1, "x", 1);
    const int error = errno;
    if (dprintf(told[1], "hups %d conts %d, read %zd, write %zd %s, isatty %d", hups, conts, got, put, strerrorname_np(error), isatty(0)) < 0) abort();
    _exit(5);
  }
  char text[100] = "";
  DO(read(ready[0], text, 1));
  DO(close(master));
  const ssize_t n = read(told[0], text, sizeof text - 1);
  SAY("%.*s", (int)n, text);
  SAY("child %d", ended(child));
}
