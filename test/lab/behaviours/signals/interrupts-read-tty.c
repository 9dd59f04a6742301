// A read of a terminal is ended, or restarted, by a handler.
#include "../../interrupts.h"
#include <pty.h>

static int master, slave;
static void put(void) { if (write(master, "line\n", 5) != 5) abort(); }

BEHAVIOUR {
  char text[16] = "";
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  INTERRUPTED(read(slave, text, sizeof text));
  RESTARTED(put, read(slave, text, sizeof text));
  SAY("%s", text);
}
