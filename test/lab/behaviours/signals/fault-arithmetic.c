// SIGFPE, SIGILL and SIGTRAP say what was done and where; the handler may go on behind the instruction.
// libraries: m
#include "../../lab.h"
#include <fenv.h>
#include <ucontext.h>

static siginfo_t last;
static greg_t at, skip;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  ucontext_t *u = context;
  last = *info;
  at = u->uc_mcontext.gregs[REG_RIP];
  u->uc_mcontext.gregs[REG_RIP] += skip;
  u->uc_mcontext.fpregs->mxcsr |= 0x1f80;
}
static void tell(const char *what) {
  SAY("%s: signo %d code %d at %s", what, last.si_signo, last.si_code, (greg_t)last.si_addr == at ? "the instruction" : last.si_addr ? "elsewhere" : "nowhere");
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  const int all[] = {SIGFPE, SIGILL, SIGTRAP, SIGSEGV};
  for (int i = 0; i < 4; ++i) sigaction(all[i], &action, NULL);
  skip = 2;
  AT(asm volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; divl %%ecx" ::: "eax", "ecx", "edx"));
  tell("division by zero");
  AT(asm volatile("ud2"));
  tell("undefined");
  skip = 0;
  AT(asm volatile("int3"));
  tell("breakpoint");
  skip = 1;
  AT(asm volatile("hlt"));
  tell("privileged");
  skip = 0;
  volatile double zero = 0, one = 1, huge = 1e300;
  feenableexcept(FE_DIVBYZERO | FE_OVERFLOW | FE_INVALID);
  AT(one = one / zero);
  tell("floating division");
  feclearexcept(FE_ALL_EXCEPT), feenableexcept(FE_OVERFLOW);
  AT(huge = huge * huge);
  tell("overflow");
  feclearexcept(FE_ALL_EXCEPT), feenableexcept(FE_INVALID);
  AT(zero = zero / zero);
  tell("invalid");
}
