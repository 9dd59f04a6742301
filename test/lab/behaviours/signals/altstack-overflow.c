// A program that has used up its stack is told on the alternate one, and can go on elsewhere; without one it ends.
#include "../../lab.h"
#include <setjmp.h>
#include <sys/resource.h>

static char stack[65536] __attribute__((aligned(16)));
static sigjmp_buf back;
static volatile int depth;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  char here;
  SAY("signal %d code %d, on the alternate stack %d", signal, info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR, &here >= stack && &here < stack + sizeof stack);
  AT(siglongjmp(back, 1));
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((noinline)) static int deep(int n) {
  volatile char room[4000];
  room[n % 4000] = (char)n;
  depth = n;
  const int more = deep(n + 1);
  return more + room[(n + 1) % 4000];
}

BEHAVIOUR {
  const struct rlimit small = {1 << 20, 8 << 20}, none = {0, 0};
  setrlimit(RLIMIT_STACK, &small);
  setrlimit(RLIMIT_CORE, &none);
  stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&mine, NULL);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_ONSTACK | SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  for (volatile int i = 0; i < 3; ++i) {
    lab_point("overflow");
    if (sigsetjmp(back, 1) == 0) deep(0);
    SAY("deep enough %d", depth > 200 && depth < 270);
  }
  const pid_t child = FORK();
  if (child == 0) {
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    lab_point("child");
    _exit(deep(0));
  }
  SAY("child %d", ended(child));
}
