// When the session's leader ends, its terminal's foreground group gets SIGHUP, and the terminal is no session's any more.
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>

static volatile sig_atomic_t hups;
static void handler(int signal) { (void)signal; ++hups; }

BEHAVIOUR {
  int master, slave, told[2], go[2];
  if (openpty(&master, &slave, NULL, NULL, NULL) || pipe(told) || pipe(go)) abort();
  const pid_t leader = FORK();
  if (leader == 0) {
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    const pid_t job = fork();
    if (job == 0) {
      signal(SIGHUP, handler);
      if (write(told[1], "r", 1) != 1) abort();
      lab_point("wait for it");
      while (!hups) sleep_ms(1);
      lab_point("after it");
      const int fd = open("/dev/tty", O_RDWR);
      if (dprintf(told[1], "hups %d, /dev/tty %s, group %d", hups, fd < 0 ? strerrorname_np(errno) : "there", tcgetpgrp(slave) > 0) < 0) abort();
      _exit(0);
    }
    char none;
    if (read(go[0], &none, 1) != 1) abort();
    _exit(6);
  }
  char text[100] = "";
  DO(read(told[0], text, 1));
  DO(write(go[1], "x", 1));
  SAY("leader %d", ended(leader));
  const ssize_t n = DO(read(told[0], text, sizeof text - 1)) > 0 ? (ssize_t)strlen(text) : 0;
  SAY("%.*s", (int)n, text);
}
