// tcsetattr keeps what it is told, tcgetattr gives it back; sizes and speeds too, and nothing of it on what is no terminal.
// home: ioctl
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

BEHAVIOUR {
  int master, slave, ends[2];
  struct termios mode, got;
  struct winsize size = {24, 80, 1, 2}, seen = {0};
  if (openpty(&master, &slave, NULL, NULL, &size) || pipe(ends)) abort();
  DO(ioctl(slave, TIOCGWINSZ, &seen));
  SAY("%d %d %d %d", seen.ws_row, seen.ws_col, seen.ws_xpixel, seen.ws_ypixel);
  DO(tcgetattr(slave, &mode));
  mode.c_iflag |= IXANY;
  mode.c_lflag &= ~(tcflag_t)ECHO;
  mode.c_cc[VERASE] = 'q';
  DO(cfsetospeed(&mode, B38400));
  DO(tcsetattr(slave, TCSADRAIN, &mode));
  DO(tcgetattr(master, &got));
  SAY("%d %d %c", !(got.c_lflag & ECHO), (got.c_iflag & IXANY) != 0, got.c_cc[VERASE]);
  HOLDS(cfgetospeed(&got) == B38400);
  DO(tcsetattr(slave, 99, &mode));
  DO(tcgetattr(ends[0], &got));
  DO(ioctl(ends[0], TIOCGWINSZ, &seen));
  DO(ioctl(slave, TIOCGWINSZ, 8));
  DO(ioctl(slave, TCSETS, 8));
  DO(isatty(slave));
  DO(isatty(ends[0]));
  DO(isatty(777));
  DO(ioctl(slave, 0x5499, 0));
}
