// The devices that every program knows: null, zero, full, random.
#include "../../lab.h"
#include <termios.h>

BEHAVIOUR {
  char text[300], other[300];
  memset(text, 'x', sizeof text);
  int fd = DO(open("/dev/null", O_RDWR));
  DO(read(fd, text, sizeof text));
  DO(write(fd, text, 1 << 20 > sizeof text ? sizeof text : 0));
  DO(lseek(fd, 1000, SEEK_SET));
  struct termios terminal;
  DO(tcgetattr(fd, &terminal));
  DO(isatty(fd));
  DO(fd = open("/dev/zero", O_RDWR));
  DO(read(fd, text, 200));
  SAY("%d %c", text[199], text[200]);
  DO(fd = open("/dev/full", O_RDWR));
  DO(write(fd, text, 1));
  DO(read(fd, text + 200, 10));
  SAY("%d", text[200]);
  DO(fd = open("/dev/urandom", O_RDONLY));
  DO(read(fd, text, 256));
  DO(read(fd, other, 256));
  HOLDS(memcmp(text, other, 256) != 0);
  DO(open("/dev/tty", O_RDWR));
}
