// flock belongs to the open file: its copies share it, another open of the file does not, and a waiter gets it when it is free.
#include "../../lab.h"
#include <sys/file.h>

static int one, copy;
static void let_go(void) { close(copy); }

BEHAVIOUR {
  one = DO(open("file", O_RDWR | O_CREAT, 0600));
  const int two = DO(open("file", O_RDWR));
  DO(flock(one, LOCK_EX));
  DO(flock(two, LOCK_SH | LOCK_NB));
  DO(copy = dup(one));
  DO(flock(copy, LOCK_SH));
  DO(flock(two, LOCK_SH | LOCK_NB));
  DO(flock(two, LOCK_EX | LOCK_NB));
  DO(flock(two, LOCK_UN));
  DO(flock(one, LOCK_EX));
  DO(close(one));
  DO(flock(two, LOCK_EX | LOCK_NB));
  pthread_t other = later(60, let_go);
  DO(flock(two, LOCK_EX));
  pthread_join(other, NULL);
  DO(flock(two, 77));
  DO(flock(-1, LOCK_EX));
  DO(flock(two, LOCK_UN));
}
