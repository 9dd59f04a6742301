// A stack that outgrows its limit gives SIGSEGV, on the alternate stack, with an address below the stack.
#include "../../lab.h"
#include <setjmp.h>
#include <sys/resource.h>

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static sigjmp_buf back;
static volatile int code;
static char other[65536];
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  code = info->si_code;
  char here;
  const bool on_other = &here >= other && &here < other + sizeof other;
  siglongjmp(back, on_other ? signal : 99);
}
__attribute__((noinline)) static int endless(int n) {
  volatile char frame[8192];
  frame[0] = (char)n;
  return endless(n + 1) + frame[0];
}
static void overflow(void) {
  const int signal = sigsetjmp(back, 1);
  if (!signal) SAY("%d", endless(0));
  SAY("signal %d", signal);
  HOLDS(code == SEGV_MAPERR || code == SEGV_ACCERR);
}


BEHAVIOUR {
  stack_t stack = {.ss_sp = other, .ss_size = sizeof other};
  DO(sigaltstack(&stack, NULL));
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  DO(sigaction(SIGSEGV, &action, NULL));
  AT(overflow());
  AT(overflow());
  struct rlimit limit = {1 << 20, RLIM_INFINITY};
  getrlimit(RLIMIT_STACK, &limit);
  limit.rlim_cur = 12 << 20;
  DO(setrlimit(RLIMIT_STACK, &limit));
  AT(overflow());
}
