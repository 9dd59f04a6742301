// Threads that open /proc/self/maps and stat at once all see them.
#include "../../lab.h"
#include <stdatomic.h>

enum { THREADS = 4, TURNS = 12 };
static atomic_int wrong;

static void *look(void *unused) {
  for (int turn = 0; turn < TURNS; ++turn) {
    char text[4096] = "";
    const int maps = open("/proc/self/maps", O_RDONLY), stat = open("/proc/self/stat", O_RDONLY);
    if (read(maps, text, sizeof text - 1) <= 0 || !strchr(text, '-')) ++wrong;
    if (read(stat, text, sizeof text - 1) <= 0 || atoi(text) != getpid()) ++wrong;
    close(maps);
    close(stat);
  }
  return unused;
}

BEHAVIOUR {
  for (int turn = 0; turn < 3; ++turn) {
    pthread_t threads[THREADS];
    AT(for (int i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, look, NULL));
    for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
    DO((int)wrong);
  }
}
