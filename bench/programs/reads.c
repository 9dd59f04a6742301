// Files are read from one end to the other.
//   whole FILE SIZE TIMES   opens it, reads it in pieces of SIZE, closes it, so many times.  Answer: seconds for all.
//   each DIRECTORY COUNT    looks at the files 0, 1, ... of it, and reads them.              Answer: seconds for all.
#include "worker.h"

#include <fcntl.h>
#include <sys/stat.h>

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

static double each(const char *directory, unsigned count) {
  const double begin = now();
  for (unsigned i = 0; i < count; ++i) {
    char name[340];
    struct stat st;
    snprintf(name, sizeof name, "%s/%u", directory, i);
    if (stat(name, &st) < 0) fail(name);
    whole(name, kMost, 1);
  }
  return now() - begin;
}

int main(void) {
  memset(buffer, 'x', kMost);
  say("ready %d", getpid());
  char line[400], name[300];
  size_t size;
  unsigned count;
  while (next_order(line, sizeof line)) {
    if (sscanf(line, "whole %299s %zu %u", name, &size, &count) == 3 && size <= kMost) say("%.9g", whole(name, size, count));
    else if (sscanf(line, "each %299s %u", name, &count) == 2) say("%.9g", each(name, count));
    else return 1;
  }
}
