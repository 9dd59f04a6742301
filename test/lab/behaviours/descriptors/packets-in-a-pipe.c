// A pipe with O_DIRECT keeps packets apart; what does not fit the reader's buffer is lost.
#include "../../lab.h"

BEHAVIOUR {
  char text[64] = "";
  int ends[2];
  DO(pipe2(ends, O_DIRECT));
  DO(write(ends[1], "first", 5));
  DO(write(ends[1], "second packet", 13));
  DO(write(ends[1], "third", 5));
  DO(read(ends[0], text, sizeof text));
  SAY("%.5s", text);
  DO(read(ends[0], text, 6));
  SAY("%.6s", text);
  DO(read(ends[0], text, sizeof text));
  SAY("%.5s", text);
  static char big[10000];
  DO(write(ends[1], big, 6000));
  DO(read(ends[0], big, sizeof big));
  DO(read(ends[0], big, sizeof big));
}
