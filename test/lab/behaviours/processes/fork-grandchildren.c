// A tree of processes: each waits for its own children, and none sees another's memory.
#include "../../lab.h"

static int value = 1;
static int tree(int depth) {
  int below = 0;
  for (int i = 0; i < 2 && depth; ++i) {
    lab_point("fork");
    const pid_t child = fork();
    if (child == 0) {
      value *= 2 + i;
      _exit(tree(depth - 1));
    }
    below += ended(child);
  }
  lab_point("counted");
  return below + (depth ? 0 : value);
}

BEHAVIOUR {
  SAY("%d", tree(2));
  DO(value);
}
