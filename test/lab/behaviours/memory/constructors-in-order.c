// Constructors run before main in their order, and destructors and atexit functions after it, wherever the program has gone meanwhile.
#include "../../lab.h"

static char order[32];
static void note(char c) { order[strlen(order)] = c; }
__attribute__((constructor(201))) static void first(void) { note('1'); }
__attribute__((constructor(202))) static void second(void) { note('2'); }
__attribute__((destructor(201))) static void last(void) { SAY("last"); }
__attribute__((destructor(202))) static void before(void) { SAY("before the last"); }
static void one(void) { SAY("one %s", order); }
static void two(int status, void *argument) { SAY("two %d %s", status, (char *)argument); }

BEHAVIOUR {
  SAY("%s", order);
  DO(atexit(one));
  DO(on_exit(two, "argument"));
  DO(atexit(one));
  AT(note('3'));
}
