// What a handler changes in its context is what the program goes on with: registers, the mask, floating-point state.
#include "../../lab.h"
#include <ucontext.h>

static void handler(int signal, siginfo_t *info, void *context) {
  (void)info;
  ucontext_t *u = context;
  greg_t *r = u->uc_mcontext.gregs;
  if (signal == SIGUSR1) {
    SAY("blocked before %d %d", sigismember(&u->uc_sigmask, SIGUSR1), sigismember(&u->uc_sigmask, SIGHUP));
    sigaddset(&u->uc_sigmask, SIGHUP);
    sigdelset(&u->uc_sigmask, SIGTERM);
    sigaddset(&u->uc_sigmask, SIGKILL);
  } else {
    SAY("rbx %llx r15 %llx mxcsr %x", r[REG_RBX], r[REG_R15], u->uc_mcontext.fpregs->mxcsr & 0x8040);
    r[REG_RIP] += 2;                                  // behind the ud2
    r[REG_RBX] = 0x1111222233334444;
    r[REG_R15] += 1;
    u->uc_mcontext.fpregs->_xmm[3].element[1] = 0xabcdef;
    u->uc_mcontext.fpregs->mxcsr |= 0x8040;
    AT(sched_yield());
  }
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGILL, &action, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_SETMASK, &set, NULL);
  DO(raise(SIGUSR1));
  DO(sigprocmask(SIG_BLOCK, NULL, &set));
  SAY("HUP %d TERM %d KILL %d USR1 %d", sigismember(&set, SIGHUP), sigismember(&set, SIGTERM), sigismember(&set, SIGKILL), sigismember(&set, SIGUSR1));
  unsigned long rbx = 0x77, r15 = 0x88;
  unsigned words[4] = {1, 2, 3, 4}, mxcsr;
  lab_point("ud2");
  asm volatile("movdqu %2, %%xmm3; movq %0, %%rbx; movq %1, %%r15; ud2; movq %%rbx, %0; movq %%r15, %1; movdqu %%xmm3, %2; stmxcsr %3"
               : "+r"(rbx), "+r"(r15), "+m"(words), "=m"(mxcsr)::"rbx", "r15", "xmm3");
  SAY("rbx %lx r15 %lx xmm3 %x %x %x %x mxcsr %x", rbx, r15, words[0], words[1], words[2], words[3], mxcsr & 0x8040);
}
