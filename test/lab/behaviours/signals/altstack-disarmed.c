// With SS_AUTODISARM the alternate stack is none while a handler runs on it, so that it can be changed or left, and is back when the handler returns.
#include "../../lab.h"
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char stack[65536] __attribute__((aligned(16)));
static void handler(int signal) {
  char here;
  stack_t now;
  SAY("signal %d on the alternate stack %d", signal, &here >= stack && &here < stack + sizeof stack);
  DO(sigaltstack(NULL, &now));
  SAY("flags %x, size %zu, %p", now.ss_flags, now.ss_size, now.ss_sp);
  if (signal == SIGUSR1) DO(raise(SIGUSR2));
}

BEHAVIOUR {
  stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack, .ss_flags = (int)SS_AUTODISARM}, now;
  DO(sigaltstack(&mine, NULL));
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  for (int i = 0; i < 2; ++i) {
    DO(raise(SIGUSR1));
    DO(sigaltstack(NULL, &now));
    SAY("flags %x, size %zu, ours %d", now.ss_flags, now.ss_size, now.ss_sp == stack);
  }
}
