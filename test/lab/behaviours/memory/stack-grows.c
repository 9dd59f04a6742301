// The stack grows as deep as its limit, wherever it was begun, and keeps what it holds.
#include "../../lab.h"
#include <sys/resource.h>

static unsigned deep(unsigned n, int moved) {
  volatile char frame[16384];
  frame[0] = (char)n;
  frame[16383] = (char)(n >> 8);
  if (n % 100 == moved % 100u && n > 100) lab_point("deep");
  const unsigned below = n ? deep(n - 1, moved) : 0;
  return below + (frame[0] == (char)n && frame[16383] == (char)(n >> 8));
}

BEHAVIOUR {
  struct rlimit limit;
  DO(getrlimit(RLIMIT_STACK, &limit));
  HOLDS(limit.rlim_cur >= 8 << 20);
  AT(SAY("%u", deep(100, 0)));
  AT(SAY("%u", deep(400, 0)));
  AT(SAY("%u", deep(200, 0)));
  AT(SAY("%u", deep(450, 50)));
}
