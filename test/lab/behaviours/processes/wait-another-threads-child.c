// A child of one thread is a child of all, but not with __WNOTHREAD.
#include "../../lab.h"

static pid_t child;
static atomic_bool over;
static void *run(void *none) {
  child = fork();
  if (child == 0) _exit(8);
  while (!over) sleep_ms(1);
  return none;
}

BEHAVIOUR {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  while (!child) sleep_ms(1);
  DO(waitpid(-1, NULL, 0x20000000));
  SAY("child %d", ended(child));
  over = true;
  GIVES(pthread_join(thread, NULL));
}
