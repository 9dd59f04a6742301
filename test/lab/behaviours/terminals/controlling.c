// A session leader gets its terminal by TIOCSCTTY, /dev/tty is it, and the members of the session may not take another's.
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>

BEHAVIOUR {
  int master, slave;
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  const pid_t child = FORK();
  if (child == 0) {
    DO(tcgetpgrp(slave));
    HOLDS(setsid() == getpid());
    DO(ioctl(slave, TIOCSCTTY, 0));
    HOLDS(tcgetpgrp(slave) == getpid());
    HOLDS(tcgetsid(slave) == getpid());
    const int own = DO(open("/dev/tty", O_RDWR));
    DO(write(own, "hello", 5));
    DO(isatty(own));
    DO(tcsetpgrp(slave, 0x7ffffff0));
    DO(tcsetpgrp(slave, -1));
    signal(SIGHUP, SIG_IGN);
    DO(ioctl(own, TIOCNOTTY));
    DO(open("/dev/tty", O_RDWR));
    DO(tcgetpgrp(slave));
    _exit(7);
  }
  SAY("child %d", ended(child));
  char text[8] = "";
  DO(read(master, text, 5));
  SAY("%s", text);
}
