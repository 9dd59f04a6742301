// A change of the window's size sends SIGWINCH to the foreground group, once for each change, and none if nothing changed.
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>

static volatile sig_atomic_t caught;
static void handler(int signal) { (void)signal; ++caught; }

BEHAVIOUR {
  int master, told[2];
  struct winsize size = {24, 80, 0, 0};
  if (pipe(told)) abort();
  lab_point("forkpty");
  const pid_t child = forkpty(&master, NULL, NULL, &size);
  if (child == 0) {
    signal(SIGWINCH, handler);
    for (int turn = 0; turn < 3; ++turn) {
      if (write(told[1], &size, sizeof size) != sizeof size) abort();
      if (turn == 2) break;
      lab_point("wait for it");
      while (caught <= turn) sleep_ms(1);
      if (ioctl(0, TIOCGWINSZ, &size)) abort();
    }
    _exit(caught);
  }
  for (int turn = 0; turn < 3; ++turn) {
    DO(read(told[0], &size, sizeof size));
    SAY("%d rows", size.ws_row);
    if (turn < 2) {
      ++size.ws_row;
      DO(ioctl(master, TIOCSWINSZ, &size));
    }
    DO(ioctl(master, TIOCSWINSZ, &size));
  }
  SAY("child %d", ended(child));
}
