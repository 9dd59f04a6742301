// One thread goes through a mapped file in order; another maps, in the place of its second half, now the one file and now the other: what the first finds
// there is always the one that was mapped last.
#include "../../lab.h"

enum { PAGES = 256, HALF = PAGES / 2, PAGE = 4096, ROUNDS = 60 };

static int files[2];
static char *map;
static int shown, over;
static atomic_int replaced;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

static int wrong(int from, int to, char letter) {
  int n = 0;
  for (int i = from; i < to; ++i) {
    int number;
    memcpy(&number, map + i * PAGE, sizeof number);
    n += number != i || map[i * PAGE + 99] != letter;
  }
  return n;
}

static void place(int which, int from, int pages) {
  if (mmap(map + from * PAGE, (size_t)pages * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, files[which], from * PAGE) == MAP_FAILED) abort();
}

static void *replace(void *unused) {
  (void)unused;
  for (;;) {
    pthread_mutex_lock(&lock);
    const int ends = over;
    shown = !shown;
    if (!ends) place(shown, HALF, HALF), ++replaced;
    pthread_mutex_unlock(&lock);
    if (ends) return NULL;
    sched_yield();
  }
}

BEHAVIOUR {
  files[0] = file_of("one", 'a');
  files[1] = file_of("two", 'b');
  map = TRY(mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE, files[0], 0));
  pthread_t thread;
  GIVES(pthread_create(&thread, NULL, replace, NULL));
  int below = 0, above = 0;
  for (int round = 0; round < ROUNDS; ++round) {
    if (round % 20 == 0) lab_point("a round");
    below += wrong(0, HALF / 4, 'a');
    pthread_mutex_lock(&lock);
    const int before = replaced;
    above += wrong(HALF, HALF + HALF / 2, "ab"[shown]);   // the pages behind are asked for as well
    pthread_mutex_unlock(&lock);
    while (replaced == before) sched_yield();
    pthread_mutex_lock(&lock);
    above += wrong(HALF + HALF / 2, PAGES, "ab"[shown]);
    place(0, 0, HALF);
    pthread_mutex_unlock(&lock);
  }
  pthread_mutex_lock(&lock);
  over = 1;
  pthread_mutex_unlock(&lock);
  GIVES(pthread_join(thread, NULL));
  SAY("%d below and %d above are not as they were mapped", below, above);
}
