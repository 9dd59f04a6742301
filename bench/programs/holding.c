// Does nothing.  holding MIB [text]: holds so much random data, or so many random numbers of three digits.
#include "worker.h"

int main(int argc, char **argv) {
  const size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 20;
  uint64_t *data = malloc(size + 8), x = 88172645463325252u ^ (uint64_t)getpid();
  if (data == NULL) fail("malloc");
  for (size_t i = 0; i < size / 8; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    data[i] = x;
    if (argc > 2) {
      char text[9];
      snprintf(text, sizeof text, "%03u %03u", (unsigned)(x % 1000), (unsigned)(x / 1000 % 1000));
      text[7] = '\n';
      memcpy(&data[i], text, 8);
    }
  }
  say("ready %d", getpid());
  for (;;) pause();
}
