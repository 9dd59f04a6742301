// Maps memory again and again where the stub would lie, as V8 does by chance: a move finds the place free when it begins and taken when it is about to
// end. At the end it says how often its memory was not as it had written it.  in-the-way MIB
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

// native/mover/out.cc: the first gap that is looked for; the slots of threads that there are not lie here.
#define PLACE ((char *)0x400000000000 + (1L << 30))
#define SIZE 0x40000

static volatile sig_atomic_t over;
static void end(int number) { over = number; }

static void pause_ms(int ms) { nanosleep(&(struct timespec){0, ms * 1000000L}, NULL); }

int main(int argc, char **argv) {
  size_t words = (size_t)atol(argv[argc - 1]) << 17;
  uint64_t *ballast = malloc(words * 8), seed = 88172645463325252;       // what cannot be compressed
  for (size_t i = 0; i < words; ++i) seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17, ballast[i] = seed;
  signal(SIGTERM, end);
  puts("ready");
  fflush(stdout);
  long wrong = 0, there = 0;
  for (int turn = 1; !over; ++turn) {
    char *given = mmap(PLACE, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (given == MAP_FAILED) return puts("no memory"), 1;
    there += given == PLACE;
    memset(given, turn % 127, SIZE);
    pause_ms(40);
    for (int i = 0; i < SIZE; ++i) wrong += given[i] != turn % 127;
    munmap(given, SIZE);
    pause_ms(60);
  }
  printf("%ld wrong, %s\n", wrong, there ? "was in the way" : "was never in the way");
}
