// What threads of one process open of /proc/self at the same moment is what each has opened, wherever the process is when it is read.
#include "../../lab.h"

enum { THREADS = 4, TURNS = 8 };
static int maps[THREADS], stats[THREADS];
static pthread_barrier_t together;

static void *look(void *argument) {
  const int own = *(int *)argument;
  pthread_barrier_wait(&together);
  maps[own] = open("/proc/self/maps", O_RDONLY);
  stats[own] = open("/proc/self/stat", O_RDONLY);
  return NULL;
}

// A line of maps has its dash among hexadecimal digits.
static bool is_of_maps(const char *text) {
  const size_t digits = strspn(text, "0123456789abcdef");
  return digits > 0 && text[digits] == '-';
}

BEHAVIOUR {
  int wrong = 0;
  pthread_barrier_init(&together, NULL, THREADS);
  for (int turn = 0; turn < TURNS; ++turn) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; ++i) numbers[i] = i, pthread_create(&threads[i], NULL, look, &numbers[i]);
    for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
    for (int again = 0; again < 2; ++again) {
      AT(getppid());
      for (int i = 0; i < THREADS; ++i) {
        char text[4096] = "";
        if (pread(maps[i], text, sizeof text - 1, 0) <= 0 || !is_of_maps(text)) ++wrong;
        memset(text, 0, sizeof text);
        if (pread(stats[i], text, sizeof text - 1, 0) <= 0 || atoi(text) != getpid()) ++wrong;
      }
    }
    for (int i = 0; i < THREADS; ++i) close(maps[i]), close(stats[i]);
  }
  SAY("%d wrong", wrong);
}
