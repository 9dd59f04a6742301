// Handlers of pthread_atfork run around a fork: before it in reverse order, after it in order, in parent and child.
#include "../../lab.h"

static char told[32];
static void add(const char *word) { strcat(told, word); }
static void before_1(void) { add("a"); }
static void before_2(void) { add("b"); }
static void parent_1(void) { add("p"); }
static void parent_2(void) { add("q"); }
static void child_1(void) { add("c"); }
static void child_2(void) { add("d"); }

BEHAVIOUR {
  GIVES(pthread_atfork(before_1, parent_1, child_1));
  GIVES(pthread_atfork(before_2, parent_2, child_2));
  const pid_t child = FORK();
  if (child == 0) _exit(strcmp(told, "bacd"));
  SAY("%s", told);
  SAY("child %d", ended(child));
}
