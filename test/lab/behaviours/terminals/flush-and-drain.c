// tcflush throws away what was not read, tcdrain waits for the reader, tcsendbreak and tcflow do no harm.
#include "../../lab.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

BEHAVIOUR {
  int master, slave, count = -1;
  char text[16] = "";
  struct termios mode;
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  tcgetattr(slave, &mode);
  cfmakeraw(&mode);
  tcsetattr(slave, TCSANOW, &mode);
  DO(write(master, "old", 3));
  while (poll(&(struct pollfd){slave, POLLIN, 0}, 1, -1) != 1) continue;
  DO(ioctl(slave, FIONREAD, &count));
  SAY("%d", count);
  DO(tcflush(slave, TCIFLUSH));
  DO(ioctl(slave, FIONREAD, &count));
  SAY("%d", count);
  DO(write(master, "new", 3));
  DO(read(slave, text, sizeof text));
  SAY("%s", text);
  DO(write(slave, "out", 3));
  DO(tcdrain(slave));
  DO(tcsendbreak(slave, 0));
  DO(tcflow(slave, TCOOFF));
  DO(tcflow(slave, TCOON));
  DO(tcflush(slave, 77));
  DO(tcflush(0, TCIFLUSH));
  DO(read(master, text, sizeof text));
}
