// TIOCEXCL keeps others from opening a terminal, root not; TIOCSTI and TIOCSPTLCK as the kernel allows; FIONBIO and FIOASYNC on terminals.
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>

BEHAVIOUR {
  int master, slave, on = 1, is = -1;
  char name[64], text[8];
  if (openpty(&master, &slave, name, NULL, NULL)) abort();
  DO(ioctl(slave, TIOCEXCL));
  DO(ioctl(slave, TIOCGEXCL, &is));
  SAY("%d", is);
  DO(open(name, O_RDWR | O_NOCTTY) >= 0);
  DO(ioctl(slave, TIOCNXCL));
  DO(ioctl(master, TIOCSPTLCK, &on));
  DO(ioctl(master, TIOCGPTLCK, &is));
  SAY("%d", is);
  DO(open(name, O_RDWR | O_NOCTTY));
  DO(ioctl(slave, FIONBIO, &on));
  DO(read(slave, text, 8));
  on = 0;
  DO(ioctl(slave, FIONBIO, &on));
  DO(fcntl(slave, F_GETFL) & O_NONBLOCK);
  DO(ioctl(slave, TIOCOUTQ, &is));
  DO(ioctl(slave, TIOCGETD, &is));
  SAY("%d", is);
  is = 99;
  DO(ioctl(slave, TIOCSETD, &is));
  DO(ioctl(slave, TIOCMGET, &is));
  DO(ioctl(master, TIOCSIG, SIGUSR1));
  DO(ioctl(master, TIOCSIG, 99));
}
