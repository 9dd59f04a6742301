// A read into a bad address waits like any other, and what came is not lost.
#include "../../lab.h"

static int ends[2];
static void put(void) { if (write(ends[1], "late", 4) != 4) abort(); }

BEHAVIOUR {
  char text[8] = "", *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DO(pipe(ends));
  pthread_t other = later(60, put);
  DO(read(ends[0], bad, 4));
  pthread_join(other, NULL);
  DO(read(ends[0], text, 4));
  SAY("%s", text);
}
