// A read by a background group stops it with SIGTTIN; it goes on with the read when it is in the foreground; ignored, the read is EIO.
// refused: it is stopped
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>

static int slave;
static pid_t job(bool ignores) {
  lab_point("a job");
  const pid_t child = fork();
  if (child) return setpgid(child, child), child;
  setpgid(0, 0);
  if (ignores) signal(SIGTTIN, SIG_IGN);
  char text[8];
  lab_point("read");
  const ssize_t n = read(slave, text, 8);
  _exit(n == 5 && !memcmp(text, "line\n", 5) ? 40 : n < 0 && errno == EIO ? 41 : 42);
}

BEHAVIOUR {
  int master, status;
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  const pid_t child = FORK();
  if (child == 0) {
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    signal(SIGTTOU, SIG_IGN);
    pid_t one = job(false);
    TRY(waitpid(one, &status, WUNTRACED));
    SAY("stopped by SIGTTIN: %d", WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    DO(tcsetpgrp(slave, one));
    DO(kill(-one, SIGCONT));
    if (write(master, "line\n", 5) != 5) abort();
    SAY("job %d", ended(one));
    DO(tcsetpgrp(slave, getpgrp()));
    SAY("job %d", ended(job(true)));
    _exit(0);
  }
  SAY("child %d", ended(child));
}
