// A terminal gives whole lines, edits them with erase and kill, and in raw mode gives each byte as it comes.
#include "../../lab.h"
#include <pty.h>
#include <termios.h>

BEHAVIOUR {
  int master, slave;
  char text[64] = "";
  struct termios mode;
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  DO(tcgetattr(slave, &mode));
  mode.c_lflag &= ~(tcflag_t)ECHO;
  DO(tcsetattr(slave, TCSANOW, &mode));
  const char *typed = "abx\177c\nnew\025old\nfoo bar\027baz\n";
  DO(write(master, typed, strlen(typed)));
  ssize_t n = DO(read(slave, text, sizeof text));
  SAY("%.*s", (int)n - 1, text);
  n = DO(read(slave, text, 2));
  SAY("%.*s", (int)n, text);
  n = DO(read(slave, text, sizeof text));
  SAY("%.*s", (int)n - 1, text);
  n = DO(read(slave, text, sizeof text));
  SAY("%.*s", (int)n - 1, text);
  DO(write(master, "partly", 6));
  fcntl(slave, F_SETFL, O_NONBLOCK);
  DO(read(slave, text, sizeof text));
  fcntl(slave, F_SETFL, 0);
  cfmakeraw(&mode);
  DO(tcsetattr(slave, TCSANOW, &mode));
  n = DO(read(slave, text, sizeof text));
  SAY("%.*s", (int)n, text);
  DO(write(master, "\003\032\r", 3));
  DO(read(slave, text, sizeof text));
  SAY("%d %d %d", text[0], text[1], text[2]);
}
