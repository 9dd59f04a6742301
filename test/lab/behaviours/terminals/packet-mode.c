// In packet mode the master's reads begin with a byte that tells of flushes and of stopped output, or of data.
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

BEHAVIOUR {
  int master, slave, on = 1, is = -1;
  unsigned char text[16] = "";
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  DO(ioctl(master, TIOCPKT, &on));
  DO(ioctl(master, TIOCGPKT, &is));
  SAY("%d", is);
  DO(write(slave, "ab", 2));
  const ssize_t n = DO(read(master, text, sizeof text));
  SAY("%d %.*s", text[0], (int)n - 1, text + 1);
  DO(tcflush(slave, TCIOFLUSH));
  DO(read(master, text, sizeof text));
  SAY("%x", text[0]);
  DO(tcflow(slave, TCOOFF));
  DO(read(master, text, sizeof text));
  SAY("%x", text[0]);
  DO(tcflow(slave, TCOON));
  DO(read(master, text, sizeof text));
  SAY("%x", text[0]);
  DO(ioctl(slave, TIOCPKT, &on));
  DO(ioctl(master, TIOCPKT, 8));
}
