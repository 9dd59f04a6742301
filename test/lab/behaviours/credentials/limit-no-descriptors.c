// A program that may open nothing more (RLIMIT_NOFILE 0) goes on with what it has, and can fork.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  int ends[2];
  DO(pipe(ends));
  DO(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 4096}));
  DO(dup(1));
  DO(write(ends[1], "abc", 3));
  char text[4] = "";
  DO(read(ends[0], text, 2));
  SAY("%s", text);
  const pid_t child = FORK();
  if (child == 0) _exit(write(ends[1], "d", 1));
  SAY("child %d", ended(child));
  DO(read(ends[0], text, 3));
  SAY("%s", text);
}
