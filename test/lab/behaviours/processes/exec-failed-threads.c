// An exec that fails leaves all threads, handlers and descriptors as they were.
#include "../../lab.h"

static int ends[2];
static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }
static void *reader(void *none) {
  char text[4];
  return read(ends[0], text, 4) == 2 ? ends : none;
}

BEHAVIOUR {
  DO(pipe2(ends, O_CLOEXEC));
  signal(SIGUSR1, handler);
  pthread_t thread;
  GIVES(pthread_create(&thread, NULL, reader, NULL));
  DO(execl("/nowhere", "x", NULL));
  DO(execl("/etc/passwd", "x", NULL));
  DO(write(ends[1], "ab", 2));
  void *result;
  GIVES(pthread_join(thread, &result));
  HOLDS(result == ends);
  DO(raise(SIGUSR1));
  HOLDS(caught == SIGUSR1);
}
