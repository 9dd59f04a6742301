// Computes all the time and watches its own clock.  computing MIB: holds so much random data.
// SIGUSR1: prints the longest time, in seconds, for which it did not get to look at the clock since the last such print.
#include "worker.h"

#include <signal.h>

static volatile sig_atomic_t asked;
static void note(int signal) { asked = signal; }

int main(int argc, char **argv) {
  const size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 20;
  uint64_t *data = malloc(size + 8), x = 88172645463325252u;
  if (data == NULL) fail("malloc");
  for (size_t i = 0; i < size / 8; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    data[i] = x;
  }
  const struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  say("ready %d", getpid());
  double longest = 0, last = now();
  for (;;) {
    const double at = now();
    if (at - last > longest) longest = at - last;
    last = at;
    if (!asked) continue;
    asked = 0;
    say("%.9g", longest);
    longest = 0;
    last = now();
  }
}
