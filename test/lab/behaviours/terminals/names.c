// ptsname, ttyname, grantpt and unlockpt: the slave has a name of its own, can be opened by it once unlocked, and /dev/tty is none without a session's.
#include "../../lab.h"
#include <sys/ioctl.h>

BEHAVIOUR {
  char name[64] = "", other[64] = "";
  const int master = DO(posix_openpt(O_RDWR | O_NOCTTY));
  GIVES(ptsname_r(master, name, 3));
  GIVES(ptsname_r(master, name, sizeof name));
  HOLDS(strncmp(name, "/dev/pts/", 9) == 0);
  DO(open(name, O_RDWR | O_NOCTTY));
  DO(grantpt(master));
  DO(unlockpt(master));
  const int slave = DO(open(name, O_RDWR | O_NOCTTY));
  GIVES(ttyname_r(slave, other, sizeof other));
  HOLDS(strcmp(name, other) == 0);
  int number = -1;
  DO(ioctl(master, TIOCGPTN, &number));
  HOLDS(number == atoi(name + 9));
  GIVES(ptsname_r(slave, name, sizeof name));
  const int peer = DO(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
  DO(write(peer, "x", 1));
  DO(read(master, name, 5));
  GIVES(ttyname_r(0, other, sizeof other));
  DO(open("/dev/tty", O_RDWR));
}
