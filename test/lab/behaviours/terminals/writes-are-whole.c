// A write to a terminal whose other side reads slowly ends when all is written.
#include "../../lab.h"
#include <pty.h>
#include <termios.h>

enum { SIZE = 60000 };
static int master;
static unsigned char block[SIZE];

static void take_all(void) {
  unsigned char part[2000];
  unsigned sum = 0, wanted = 0;
  int got = 0;
  for (int i = 0; i < SIZE; ++i) wanted = wanted * 31 + block[i];
  while (got < SIZE) {
    const ssize_t n = read(master, part, sizeof part);
    if (n <= 0) break;
    for (ssize_t i = 0; i < n; ++i) sum = sum * 31 + part[i];
    got += (int)n;
    sleep_ms(6);
  }
  _exit(got == SIZE && sum == wanted ? 7 : 8);
}

BEHAVIOUR {
  int terminal;
  struct termios raw;
  for (int i = 0; i < SIZE; ++i) block[i] = (unsigned char)(i * 5 + i / 253);
  if (openpty(&master, &terminal, NULL, NULL, NULL) || tcgetattr(terminal, &raw)) abort();
  cfmakeraw(&raw);
  if (tcsetattr(terminal, TCSANOW, &raw)) abort();
  for (int i = 0; i < 2; ++i) {
    const pid_t child = child_later(0, take_all);
    DO(write(terminal, block, SIZE));
    SAY("the reader: %d", ended(child));
  }
}
