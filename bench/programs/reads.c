// Files are read from one end to the other.
//   whole FILE SIZE TIMES   opens it, reads it in pieces of SIZE, closes it, so many times.  Answer: seconds for all.
#include "worker.h"

#include <fcntl.h>

enum { kMost = 1 << 20 };
static char buffer[kMost];

static double whole(const char *name, size_t size, unsigned count) {
  const double begin = now();
  for (unsigned i = 0; i < count; ++i) {
    const int fd = open(name, O_RDONLY);
    if (fd < 0) fail(name);
    ssize_t n;
    while ((n = read(fd, buffer, size)) > 0) continue;
    if (n < 0) fail("read");
    close(fd);
  }
  return now() - begin;
}

int main(void) {
  memset(buffer, 'x', kMost);
  say("ready %d", getpid());
  char line[400], name[300];
  size_t size;
  unsigned count;
  while (next_order(line, sizeof line) && sscanf(line, "whole %299s %zu %u", name, &size, &count) == 3 && size <= kMost)
    say("%.9g", whole(name, size, count));
}
