// close_range closes what it names, or marks it, and leaves the rest alone.
// home: close_range
#include "../../lab.h"

static void show(void) {
  char text[40] = "";
  for (int i = 0; i < 14; ++i) {
    const int flags = fcntl(i + 20, F_GETFD);
    text[i] = flags < 0 ? '-' : flags ? 'x' : 'o';
  }
  SAY("%s", text);
}

BEHAVIOUR {
  for (int i = 20; i < 32; ++i) dup2(0, i);
  DO(close_range(22, 24, 0));
  AT(show());
  DO(close_range(26, 28, CLOSE_RANGE_CLOEXEC));
  AT(show());
  DO(close_range(30, 29, 0));
  DO(close_range(20, 31, 64));
  DO(close_range(40, ~0u, CLOSE_RANGE_CLOEXEC));
  DO(close_range(30, 30, CLOSE_RANGE_UNSHARE));
  AT(show());
  DO(close_range(3, 800, 0));
  AT(show());
  DO(close_range(3, ~0u, 0));
  DO(dup(0));
}
