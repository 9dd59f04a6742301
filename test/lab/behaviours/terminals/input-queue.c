// A terminal holds 4095 bytes of a line; what more is typed is lost, and the line can still be ended. Output waits for its reader.
#include "../../lab.h"
#include <pty.h>
#include <termios.h>

static int master, slave;
static char text[9000];
static void empty(void) {
  for (size_t got = 0; got < 9000;) {
    const ssize_t n = read(master, text, 3000);
    if (n <= 0) return;
    got += (size_t)n;
  }
}

BEHAVIOUR {
  struct termios mode;
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  tcgetattr(slave, &mode);
  mode.c_lflag &= ~(tcflag_t)ECHO;
  mode.c_oflag &= ~(tcflag_t)OPOST;
  tcsetattr(slave, TCSANOW, &mode);
  memset(text, 'a', sizeof text);
  fcntl(master, F_SETFL, O_NONBLOCK);
  for (int i = 0; i < 60; ++i)
    if (write(master, text, 100) < 0) break;
  sleep_ms(20);
  DO(write(master, "\n", 1));
  DO(read(slave, text, sizeof text));
  fcntl(master, F_SETFL, 0);
  memset(text, 'b', sizeof text);
  pthread_t other = later(60, empty);
  static char out[9000];
  DO(write(slave, out, sizeof out));
  pthread_join(other, NULL);
}
