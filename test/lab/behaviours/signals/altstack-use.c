// A handler with SA_ONSTACK runs on the alternate stack, which cannot be changed meanwhile; others run where the thread is.
#include "../../lab.h"

static char stack[65536] __attribute__((aligned(16)));
static void say_stack(void) {
  stack_t now;
  DO(sigaltstack(NULL, &now));
  SAY("flags %x, size %zu, ours %d", now.ss_flags, now.ss_size, now.ss_sp == stack);
}
static void handler(int signal) {
  char here;
  SAY("signal %d on the alternate stack %d", signal, &here >= stack && &here < stack + sizeof stack);
  say_stack();
  stack_t other = {.ss_sp = stack, .ss_size = 32768};
  DO(sigaltstack(&other, NULL));
  if (signal == SIGUSR1) {
    raise(SIGUSR2);
    AT(sched_yield());
  }
}

BEHAVIOUR {
  stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack}, old = {.ss_flags = 77};
  DO(sigaltstack(&mine, &old));
  SAY("flags %x, size %zu, %p", old.ss_flags, old.ss_size, old.ss_sp);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  action.sa_flags = 0;
  sigaction(SIGHUP, &action, NULL);
  DO(raise(SIGUSR1));
  say_stack();
  DO(raise(SIGHUP));
  mine.ss_flags = SS_DISABLE;
  DO(sigaltstack(&mine, &old));
  SAY("flags %x, size %zu, ours %d", old.ss_flags, old.ss_size, old.ss_sp == stack);
  DO(raise(SIGUSR2));
}
