// sigaltstack refuses flags it does not know and stacks that are too small, and changes nothing then.
#include "../../lab.h"

static char stack[65536] __attribute__((aligned(16)));
static void say_stack(void) {
  stack_t now;
  DO(sigaltstack(NULL, &now));
  SAY("flags %x, size %zu, ours %d", now.ss_flags, now.ss_size, now.ss_sp == stack);
}

BEHAVIOUR {
  stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack}, old = {.ss_flags = 77, .ss_size = 77};
  DO(sigaltstack(&mine, NULL));
  stack_t small = {.ss_sp = stack + 100, .ss_size = 2047}, odd = {.ss_sp = stack, .ss_size = 40000, .ss_flags = 4};
  DO(sigaltstack(&small, &old));
  DO(sigaltstack(&odd, &old));
  SAY("old untouched %d", old.ss_flags == 77 && old.ss_size == 77);
  DO(sigaltstack((void *)8, NULL));
  say_stack();
  DO(sigaltstack(NULL, (void *)8));
  odd.ss_flags = SS_ONSTACK;                          // allowed, and without effect
  DO(sigaltstack(&odd, (void *)8));
  say_stack();
  odd.ss_flags = SS_DISABLE | 4;
  DO(sigaltstack(&odd, NULL));
  odd.ss_flags = SS_DISABLE;
  odd.ss_sp = (void *)123;
  DO(sigaltstack(&odd, NULL));
  DO(sigaltstack(NULL, &old));
  SAY("flags %x, size %zu, %p", old.ss_flags, old.ss_size, old.ss_sp);
}
