// VMIN and VTIME: so many bytes, so many tenths of a second between them, or both, or what there is.
#include "../../lab.h"
#include <pty.h>
#include <termios.h>

static int master, slave;
static void set(cc_t least, cc_t tenths) {
  struct termios mode;
  tcgetattr(slave, &mode);
  cfmakeraw(&mode);
  mode.c_cc[VMIN] = least;
  mode.c_cc[VTIME] = tenths;
  tcsetattr(slave, TCSANOW, &mode);
}
static void put(void) { if (write(master, "cd", 2) != 2) abort(); }

BEHAVIOUR {
  char text[8];
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  set(0, 0);
  DO(read(slave, text, 8));
  set(0, 1);
  LASTS(0.09, DO(read(slave, text, 8)));
  DO(write(master, "ab", 2));
  DO(read(slave, text, 1));
  DO(read(slave, text, 1));
  set(2, 0);
  pthread_t other = later(60, put);
  DO(read(slave, text, 8));
  pthread_join(other, NULL);
  SAY("%.2s", text);
  set(5, 1);
  other = later(60, put);
  LASTS(0.05, DO(read(slave, text, 8)));
  pthread_join(other, NULL);
  set(200, 0);
  DO(write(master, "efg", 3));
  DO(read(slave, text, 3));
}
