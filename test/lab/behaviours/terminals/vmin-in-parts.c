// A read of a terminal with VMIN ends when so much has come, however it comes.
#include "../../lab.h"
#include <pty.h>
#include <sys/uio.h>
#include <termios.h>

enum { LEAST = 24 };
static int master, slave;

static void drip(void) {
  for (char c = 'a'; c < 'a' + LEAST; ++c) {
    if (write(master, &c, 1) != 1) _exit(8);
    sleep_ms(12);
  }
  _exit(7);
}

#define DRIPPED(call)                          \
  do {                                         \
    const pid_t child = child_later(0, drip);  \
    memset(text, 0, sizeof text);              \
    DO(call);                                  \
    SAY("%s, the writer: %d", text, ended(child)); \
  } while (0)

BEHAVIOUR {
  char text[64];
  struct termios mode;
  struct iovec rooms[2] = {{text, 5}, {text + 5, 40}};
  if (openpty(&master, &slave, NULL, NULL, NULL) || tcgetattr(slave, &mode)) abort();
  cfmakeraw(&mode);
  mode.c_cc[VMIN] = LEAST;
  if (tcsetattr(slave, TCSANOW, &mode)) abort();
  DRIPPED(read(slave, text, 60));
  DRIPPED(readv(slave, rooms, 2));
  DRIPPED(read(slave, text, LEAST));
}
