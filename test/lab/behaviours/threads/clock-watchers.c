// Threads that look at the clock all the time, and now and then sleep, begin a thread or write, do each of it once, and see no clock go back.
#include "../../lab.h"

enum { watchers = 3, rounds = 6, looks = 20000 };

static int ends[2];
static atomic_int born, backwards, early;

static void *leaf(void *none) {
  ++born;
  return none;
}

static int64_t look(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return at.tv_sec * 1000000000ll + at.tv_nsec;
}

static void *watch(void *number) {
  int64_t last = 0;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < looks; ++i) {
      const int64_t at = look(CLOCK_MONOTONIC);
      backwards += at < last;
      last = at;
    }
    pthread_t other;
    while (pthread_create(&other, NULL, leaf, NULL)) sleep_ms(1);
    const struct timespec pause = {0, 3000000};
    const int64_t begun = look(CLOCK_MONOTONIC);
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL)) {}
    early += look(CLOCK_MONOTONIC) - begun < pause.tv_nsec;
    while (write(ends[1], number, 1) != 1) {}
    pthread_join(other, NULL);
  }
  return NULL;
}

BEHAVIOUR {
  static char letters[] = "abc";
  if (pipe(ends)) SAY("no pipe");
  for (int turn = 0; turn < 3; ++turn) {
    pthread_t threads[watchers];
    born = 0;
    for (int i = 0; i < watchers; ++i) pthread_create(&threads[i], NULL, watch, &letters[i]);
    AT(sched_yield());
    for (int i = 0; i < watchers; ++i) pthread_join(threads[i], NULL);
    char got[watchers * rounds + 1];
    int counts[watchers] = {0};
    const ssize_t n = read(ends[0], got, sizeof got);
    for (ssize_t i = 0; i < n; ++i) ++counts[got[i] - 'a'];
    SAY("%d born, %d backwards, %d early, %d %d %d", born, backwards, early, counts[0], counts[1], counts[2]);
  }
}
