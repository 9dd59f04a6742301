// poll takes as many entries as RLIMIT_NOFILE allows, and refuses one more.
// home: poll
#include "../../lab.h"
#include <poll.h>
#include <sys/resource.h>

BEHAVIOUR {
  static struct pollfd p[10001];
  struct rlimit limit;
  int ends[2];
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 10000;
  DO(setrlimit(RLIMIT_NOFILE, &limit));
  DO(pipe(ends));
  for (int i = 0; i <= 10000; ++i) p[i] = (struct pollfd){i % 1000 ? -1 : ends[0], POLLIN, 77};
  DO(poll(p, 10000, 0));
  SAY("%d %d", p[9000].revents, p[9999].revents);
  DO(write(ends[1], "x", 1));
  DO(poll(p, 10000, -1));
  SAY("%d %d %d", p[9000].revents, p[9999].revents, p[10000].revents);
  DO(poll(p, 10001, 0));
  DO(poll(p + 10, 5000, 0));
}
