// Memory that changes in every way it can, by several threads and with children, each of whom knows what is to stand in every page. Goes on until SIGTERM
// and then says whether all of it was so.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { page = 4096, words = page / 8, threads = 3, blocks = 6, pages_max = 1024 };

static volatile sig_atomic_t ending;
static void end(int signal) { ending = signal; }

static uint64_t mix(uint64_t x) {
  x ^= x >> 33, x *= 0xff51afd7ed558ccdu, x ^= x >> 33, x *= 0xc4ceb9fe1a85ec53u;
  return x ^ x >> 33;
}

// A page holds a text made of its seed; 0: zeros.
struct block {
  uint64_t *at;
  size_t pages;
  uint64_t seeds[pages_max];
};
struct churner {
  pthread_t thread;
  uint64_t random, wrong, turns, forks;
  struct block block[blocks];
};

static uint64_t next(struct churner *c) {
  c->random ^= c->random << 13, c->random ^= c->random >> 7, c->random ^= c->random << 17;
  return c->random;
}

// Every other page can be compressed.
static uint64_t word(uint64_t seed, size_t i) { return mix(seed + (seed & 1 ? i : i / 8)); }
static int is_right(const uint64_t *at, uint64_t seed) {
  for (size_t i = 0; i < words; ++i)
    if (at[i] != (seed ? word(seed, i) : 0)) return 0;
  return 1;
}
static void fill(uint64_t *at, uint64_t seed) {
  for (size_t i = 0; i < words; ++i) at[i] = word(seed, i);
}
static size_t wrong_pages(const struct block *b) {
  size_t wrong = 0;
  for (size_t i = 0; b->at && i < b->pages; ++i) wrong += !is_right(b->at + i * words, b->seeds[i]);
  return wrong;
}

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  _exit(2);
}

static void begin(struct churner *c, struct block *b) {
  b->pages = 1 + next(c) % pages_max;
  b->at = mmap(NULL, b->pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (b->at == MAP_FAILED) die("mmap");
  memset(b->seeds, 0, sizeof b->seeds);
}

static void change(struct churner *c, struct block *b) {
  if (!b->at) return begin(c, b);
  const size_t first = next(c) % b->pages, count = 1 + next(c) % (b->pages - first);
  uint64_t *at = b->at + first * words;
  switch (next(c) % 12) {
    case 0:                                                  // gone, and zeros when it is looked at again
      if (madvise(at, count * page, MADV_DONTNEED)) die("madvise");
      memset(b->seeds + first, 0, count * sizeof *b->seeds);
      break;
    case 1:
      if (munmap(b->at, b->pages * page)) die("munmap");
      b->at = NULL;
      break;
    case 2: {                                                // somewhere else, and longer or shorter
      const size_t pages = 1 + next(c) % pages_max;
      uint64_t *to = mremap(b->at, b->pages * page, pages * page, MREMAP_MAYMOVE);
      if (to == MAP_FAILED && errno == EFAULT) break;         // it is of several mappings by now
      if (to == MAP_FAILED) die("mremap");
      for (size_t i = b->pages; i < pages; ++i) b->seeds[i] = 0;
      b->at = to;
      b->pages = pages;
      break;
    }
    case 3:                                                  // other memory in its place
      if (mmap(at, count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) die("mmap");
      memset(b->seeds + first, 0, count * sizeof *b->seeds);
      break;
    case 4:
      if (mprotect(at, count * page, PROT_READ) || mprotect(at, count * page, PROT_READ | PROT_WRITE)) die("mprotect");
      break;
    case 6:                                                  // zeros that were written
      for (size_t i = first; i < first + count && i < first + 16; ++i) memset(b->at + i * words, 0, page), b->seeds[i] = 0;
      break;
    case 5:                                                  // written by the kernel
      if (b->seeds[first]) {
        int ends[2];
        if (pipe(ends)) die("pipe");
        const uint64_t seed = next(c) | 1;
        uint64_t text[words];
        fill(text, seed);
        if (write(ends[1], text, page) != page || read(ends[0], at, page) != page) die("a pipe");
        close(ends[0]), close(ends[1]);
        b->seeds[first] = seed;
        break;
      }
      // fall through
    default:
      for (size_t i = first; i < first + count && i < first + 16; ++i) fill(b->at + i * words, b->seeds[i] = next(c) | 1);
  }
  if (!b->at) return;
  const size_t look = next(c) % b->pages;
  c->wrong += !is_right(b->at + look * words, b->seeds[look]);
}

// A child has what its parent has, and what it changes is its own.
static void branch(struct churner *c) {
  const pid_t child = fork();
  if (child < 0) die("fork");
  if (!child) {
    size_t wrong = 0;
    struct block *b = &c->block[next(c) % blocks];
    for (int turn = 0; turn < 20; ++turn) change(c, b);
    for (int i = 0; i < blocks; ++i) wrong += wrong_pages(&c->block[i]);
    _exit(wrong != 0);
  }
  int status;
  if (waitpid(child, &status, 0) != child) die("waitpid");
  c->wrong += status != 0;
  ++c->forks;
}

static void *churn(void *argument) {
  struct churner *c = argument;
  for (; !ending; ++c->turns) {
    change(c, &c->block[next(c) % blocks]);
    if (c->turns % 400 == 399) branch(c);
  }
  for (int i = 0; i < blocks; ++i) c->wrong += wrong_pages(&c->block[i]);
  return NULL;
}

int main(void) {
  static struct churner all[threads];
  signal(SIGTERM, end);
  for (int i = 0; i < threads; ++i) {
    all[i].random = mix((uint64_t)i + 1);
    if (pthread_create(&all[i].thread, NULL, churn, &all[i])) return 2;
  }
  puts("ready");
  fflush(stdout);
  uint64_t wrong = 0, idle = 0;
  for (int i = 0; i < threads; ++i) {
    pthread_join(all[i].thread, NULL);
    wrong += all[i].wrong;
    idle += !all[i].turns || !all[i].forks;
  }
  if (wrong) printf("%lu pages or children were wrong\n", (unsigned long)wrong);
  else puts(idle ? "nothing was done" : "all pages are as they were written");
  return wrong != 0;
}
