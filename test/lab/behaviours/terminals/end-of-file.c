// The EOF character ends a line without a newline; at a line's begin it is the end of the file, once.
#include "../../lab.h"
#include <pty.h>

BEHAVIOUR {
  int master, slave;
  char text[64];
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  DO(write(master, "abc\4", 4));
  DO(read(slave, text, sizeof text));
  DO(write(master, "\4", 1));
  DO(read(slave, text, sizeof text));
  DO(write(master, "x\n", 2));
  DO(read(slave, text, sizeof text));
  DO(write(master, "\026\4\n", 3));
  DO(read(slave, text, sizeof text));
  SAY("%d", text[0]);
}
