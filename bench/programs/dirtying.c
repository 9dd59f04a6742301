// Changes its memory at a steady rate, and knows what is to stand in each page of it.  dirtying MIB RATE [FILE]: random data, of which RATE MiB of pages
// are changed a second, here and there. It holds FILE open past the page cache (O_DIRECT), for which its memory goes while it stands still.
// SIGUSR1: prints the longest time, in seconds, for which it did not get to look at the clock since the last such print, and how many pages are not as
// they are to be.
#include "worker.h"

#include <fcntl.h>
#include <signal.h>

enum { page = 4096, words = page / 8 };

static volatile sig_atomic_t asked;
static void note(int signal) { asked = signal; }

static uint64_t mix(uint64_t x) {
  x ^= x >> 33, x *= 0xff51afd7ed558ccdu, x ^= x >> 33, x *= 0xc4ceb9fe1a85ec53u;
  return x ^ x >> 33;
}

int main(int argc, char **argv) {
  const size_t pages = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * 256;
  const double rate = (argc > 2 ? strtod(argv[2], NULL) : 0) * 256;
  uint64_t *data = aligned_alloc(page, pages * page), *times = calloc(pages, sizeof *times);
  if (data == NULL || times == NULL) fail("malloc");
  for (size_t i = 0; i < pages; ++i)
    for (size_t j = 1; j < words; ++j) data[i * words + j] = mix(i * words + j);
  for (size_t i = 0; i < pages; ++i) data[i * words] = 0;
  const struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  if (argc > 3 && open(argv[3], O_RDONLY | O_DIRECT) < 0) fail(argv[3]);
  say("ready %d", getpid());
  double longest = 0, last = now(), owed = 0;
  for (uint64_t x = 88172645463325252u;;) {
    const double at = now();
    if (at - last > longest) longest = at - last;
    owed += (at - last) * rate;
    if (owed > rate / 10) owed = rate / 10;   // after it stood still it does not make up for it
    last = at;
    if (owed >= 1) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      const size_t i = x % pages;
      ++times[i];
      ++data[i * words];
      --owed;
    }
    if (!asked) continue;
    asked = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < pages; ++i) {
      int good = data[i * words] == times[i];
      for (size_t j = 1; j < words; ++j) good = good && data[i * words + j] == mix(i * words + j);
      wrong += !good;
    }
    say("%.9g %zu", longest, wrong);
    longest = 0;
    last = now();
  }
}
