// exit runs the handlers of atexit in reverse, then flushes; _exit does neither; a status has eight bits.
#include "../../lab.h"

static void say_one(void) { if (write(1, "one\n", 4) < 0) abort(); }
static void say_two(void) {
  if (write(1, "two\n", 4) < 0) abort();
  atexit(say_one);
}

BEHAVIOUR {
  for (int turn = 0; turn < 3; ++turn) {
    const pid_t child = FORK();
    if (child == 0) {
      on_exit((void (*)(int, void *))say_one, NULL);
      atexit(say_two);
      FILE *file = fopen(turn == 0 ? "zero" : turn == 1 ? "one" : "two", "w");
      fputs("text", file);
      lab_point("the child's end");
      if (turn == 0) exit(0x1ff);
      if (turn == 1) _exit(-3);
      quick_exit(5);
    }
    SAY("child %d", ended(child));
  }
}
