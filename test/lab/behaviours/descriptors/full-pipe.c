// A full pipe blocks its writer until there is room, gives EAGAIN if that is wished, and takes a part of a large write.
#include "../../lab.h"

static int ends[2];
static char page[65536];
static void take(void) {
  for (size_t have = 0; have < 65536 + 100;) have += (size_t)read(ends[0], page, sizeof page);
}
static void drain(void) { if (read(ends[0], page, 4096) != 4096) abort(); }

BEHAVIOUR {
  static char large[100000];
  DO(pipe(ends));
  DO(write(ends[1], large, 65536));
  pthread_t other = later(60, take);
  DO(write(ends[1], large, 100));
  pthread_join(other, NULL);
  DO(fcntl(ends[1], F_SETFL, O_NONBLOCK));
  DO(write(ends[1], large, sizeof large));
  DO(write(ends[1], large, 1));
  DO(fcntl(ends[1], F_SETFL, 0));
  other = later(60, drain);
  DO(write(ends[1], large, 4096));
  pthread_join(other, NULL);
  DO(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  DO(read(ends[0], large, sizeof large));
  DO(read(ends[0], large, sizeof large));
  DO(read(ends[0], large, 0));
}
