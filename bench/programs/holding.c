// Does nothing.  holding MIB: holds so much random data.
#include "worker.h"

int main(int argc, char **argv) {
  const size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 20;
  uint64_t *data = malloc(size + 8), x = 88172645463325252u ^ (uint64_t)getpid();
  if (data == NULL) fail("malloc");
  for (size_t i = 0; i < size / 8; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    data[i] = x;
  }
  say("ready %d", getpid());
  for (;;) pause();
}
