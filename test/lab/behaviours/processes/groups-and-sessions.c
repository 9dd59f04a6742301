// What setpgid, setsid, getpgid and getsid allow: own children before their exec, groups of the own session, no leaders.
#include "../../lab.h"

BEHAVIOUR {
  int ends[2], hold[2];
  DO(pipe2(ends, O_CLOEXEC));
  DO(pipe(hold));
  const pid_t child = FORK();
  if (child == 0) {
    char none;
    if (read(hold[0], &none, 1) != 1) abort();
    execl("/bin/sleep", "sleep", "100", NULL);
    _exit(1);
  }
  close(ends[1]);
  DO(setpgid(child, 0x7ffffff0));
  DO(setpgid(child, -1));
  DO(setpgid(0x7ffffff0, 0));
  DO(setpgid(getppid(), 0));
  DO(setpgid(child, 0));
  HOLDS(getpgid(child) == child);
  DO(setpgid(child, getpgrp()));
  HOLDS(getpgid(child) == getpgrp());
  HOLDS(getsid(child) == getsid(0));
  DO(getsid(0x7ffffff0));
  DO(write(hold[1], "x", 1));
  char none;
  DO(read(ends[0], &none, 1));
  DO(setpgid(child, child));
  DO(kill(child, SIGTERM));
  SAY("child %d", ended(child));
  const pid_t leader = FORK();
  if (leader == 0) {
    lab_point("setsid");
    if (setsid() != getpid() || getsid(0) != getpid() || getpgrp() != getpid()) _exit(1);
    lab_point("again");
    if (setsid() != -1 || errno != EPERM || setpgid(0, 0) != -1 || errno != EPERM) _exit(2);
    _exit(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO ? 50 : 3);
  }
  SAY("leader %d", ended(leader));
}
