// select changes the sets to what is ready, writes the time that is left, and refuses what is not open.
#include "../../lab.h"
#include <sys/select.h>

static int ends[2];
static void put(void) { if (write(ends[1], "x", 1) != 1) abort(); }

BEHAVIOUR {
  fd_set in, out;
  if (pipe(ends) || dup2(ends[0], 200) != 200) abort();
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_SET(200, &in), FD_SET(ends[1], &out), FD_SET(ends[0], &in);
  struct timeval t = {5, 0};
  DO(select(201, &in, &out, NULL, &t));
  SAY("%d %d %d", FD_ISSET(200, &in) != 0, FD_ISSET(ends[0], &in) != 0, FD_ISSET(ends[1], &out) != 0);
  HOLDS(t.tv_sec == 4 || t.tv_sec == 5);
  FD_SET(200, &in);
  pthread_t other = later(60, put);
  DO(select(201, &in, NULL, NULL, NULL));
  SAY("%d", FD_ISSET(200, &in) != 0);
  pthread_join(other, NULL);
  FD_SET(ends[1], &in), FD_CLR(200, &in);
  t = (struct timeval){0, 70000};
  LASTS(0.07, DO(select(201, &in, NULL, NULL, &t)));
  SAY("%ld %ld, %d", (long)t.tv_sec, (long)t.tv_usec, FD_ISSET(ends[1], &in) != 0);
  FD_SET(150, &in);
  DO(select(201, &in, NULL, NULL, NULL));
  SAY("%d", FD_ISSET(150, &in) != 0);
  DO(select(-1, &in, NULL, NULL, NULL));
  fd_set *volatile bad = (void *)8;
  DO(select(201, bad, NULL, NULL, NULL));
  t = (struct timeval){-1, 0};
  DO(select(0, NULL, NULL, NULL, &t));
  t = (struct timeval){0, 0};
  t.tv_usec = 50000;
  LASTS(0.05, DO(select(0, NULL, NULL, NULL, &t)));
}
