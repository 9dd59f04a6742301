// A write by a background group goes through, but stops it with SIGTTOU under TOSTOP, as a change of the terminal's settings does always.
// refused: it is stopped
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int slave;
static pid_t job(bool sets) {
  lab_point("a job");
  const pid_t child = fork();
  if (child) return setpgid(child, child), child;
  setpgid(0, 0);
  lab_point("write");
  if (!sets) _exit(write(slave, "word", 4) == 4 ? 40 : 41);
  struct termios mode;
  tcgetattr(slave, &mode);
  _exit(tcsetattr(slave, TCSANOW, &mode) ? 43 : 42);
}
static void told(pid_t child) {
  int status;
  waitpid(child, &status, WUNTRACED);
  SAY("stopped by SIGTTOU: %d", WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
  DO(tcsetpgrp(slave, child));
  DO(kill(child, SIGCONT));
  SAY("job %d", ended(child));
  DO(tcsetpgrp(slave, getpgrp()));
}

BEHAVIOUR {
  int master;
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  const pid_t child = FORK();
  if (child == 0) {
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    signal(SIGTTOU, SIG_IGN);
    pid_t one = fork();
    if (one == 0) {
      signal(SIGTTOU, SIG_DFL);
      one = job(false);
      _exit(ended(one));
    }
    SAY("without TOSTOP %d", ended(one));
    struct termios mode;
    tcgetattr(slave, &mode);
    mode.c_lflag |= TOSTOP;
    DO(tcsetattr(slave, TCSANOW, &mode));
    SAY("ignored %d", ended(job(false)));
    signal(SIGTTOU, SIG_DFL);
    pid_t two = job(false), three = job(true);
    signal(SIGTTOU, SIG_IGN);
    told(two), told(three);
    _exit(0);
  }
  SAY("child %d", ended(child));
}
