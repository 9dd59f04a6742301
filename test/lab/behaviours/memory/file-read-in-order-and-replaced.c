// A mapped file is gone through in order, and while it is another takes its place, or what was written to it is given up: what is seen is always what
// is mapped.
#include "../../lab.h"

enum { PAGES = 256, PAGE = 4096 };

static int file_of(const char *name, char letter) {
  const int fd = open(name, O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < PAGES; ++i) {
    char page[PAGE];
    memset(page, letter, sizeof page);
    memcpy(page, &i, sizeof i);
    if (write(fd, page, sizeof page) != sizeof page) abort();
  }
  return fd;
}

// How many of the pages are what they should be.
static int right(const char *map, int from, int to, char letter) {
  int n = 0;
  for (int i = from; i < to; ++i) {
    int number;
    memcpy(&number, map + i * PAGE, sizeof number);
    n += number == i && map[i * PAGE + 99] == letter && map[i * PAGE + PAGE - 1] == letter;
  }
  return n;
}

BEHAVIOUR {
  const int one = file_of("one", 'a'), two = file_of("two", 'b');
  char *map = TRY(mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, one, 0));
  AT(SAY("%d", right(map, 0, 100, 'a')));
  if (mmap(map + 64 * PAGE, 128 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, two, 64 * PAGE) == MAP_FAILED) abort();
  SAY("%d %d", right(map, 64, 192, 'b'), right(map, 192, PAGES, 'a'));
  for (int i = 0; i < 60; ++i) map[i * PAGE + 99] = 'w';
  if (madvise(map, 32 * PAGE, MADV_DONTNEED)) abort();
  SAY("%d %d", right(map, 0, 32, 'a'), right(map, 32, 60, 'a'));
  if (munmap(map, 48 * PAGE)) abort();
  if (mmap(map, 48 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) abort();
  int zeros = 0;
  for (int i = 0; i < 48; ++i) zeros += !map[i * PAGE] && !map[i * PAGE + 99];
  SAY("%d", zeros);
  // The pages behind are on their way when there are two of it.
  char *again = TRY(mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE, two, 0));
  AT(SAY("%d", right(again, 0, 80, 'b')));
  const pid_t child = fork();
  if (!child) _exit(right(again, 80, PAGES, 'b') == PAGES - 80 ? 7 : 8);
  SAY("%d", right(again, 80, PAGES, 'b'));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  SAY("%d", WEXITSTATUS(status));
  // Reads between: their bytes are not taken for pages, nor pages for them.
  char *third = TRY(mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE, one, 0));
  int equal = 0;
  for (int i = 0; i < PAGES; i += 16) {
    char page[PAGE];
    equal += pread(two, page, PAGE, i * PAGE) == PAGE && !memcmp(page, &i, sizeof i) && page[99] == 'b' && right(third, i, i + 16, 'a') == 16;
  }
  AT(SAY("%d", equal));
}
