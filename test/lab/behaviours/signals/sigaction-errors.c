// sigaction refuses what is no signal and what cannot be caught, tells the old action as it was given, and forgets flags it does not know.
#include "../../lab.h"

struct raw { void *handler; unsigned long flags; void *restorer; unsigned long mask; };
static void handler(int signal) { (void)signal; }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER}, old;
  sigfillset(&action.sa_mask);
  DO(sigaction(0, &action, NULL));
  DO(sigaction(65, &action, NULL));
  DO(sigaction(-1, NULL, &old));
  DO(sigaction(SIGKILL, &action, NULL));
  DO(sigaction(SIGSTOP, &action, NULL));
  DO(sigaction(SIGKILL, NULL, &old));
  SAY("default %d flags %x", old.sa_handler == SIG_DFL, old.sa_flags);
  struct raw raw = {(void *)handler, 0xffffffffffffffff & ~0x04000000ul, NULL, ~0ul}, was = {0};
  DO(syscall(SYS_rt_sigaction, SIGUSR2, &raw, NULL, 8));
  DO(syscall(SYS_rt_sigaction, SIGUSR2, NULL, &was, 8));
  SAY("flags %lx mask %lx handler %d", was.flags, was.mask, was.handler == (void *)handler);
  DO(syscall(SYS_rt_sigaction, SIGUSR2, NULL, &was, 16));
  DO(syscall(SYS_rt_sigaction, SIGUSR2, (void *)8, NULL, 8));
  DO(syscall(SYS_rt_sigaction, SIGUSR2, NULL, (void *)8, 8));
  raw.flags = 0;
  DO(syscall(SYS_rt_sigaction, SIGUSR2, &raw, (void *)8, 8));
  DO(syscall(SYS_rt_sigaction, SIGUSR2, NULL, &was, 8));
  SAY("flags %lx", was.flags);
  DO(syscall(SYS_rt_sigaction, SIGKILL, &raw, &was, 8));
  sigset_t set;
  DO(syscall(SYS_rt_sigprocmask, 3, &action.sa_mask, &set, 8));
  DO(syscall(SYS_rt_sigprocmask, 3, NULL, &set, 8));
  DO(syscall(SYS_rt_sigprocmask, SIG_SETMASK, (void *)8, &set, 8));
  DO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, (void *)8, 8));
  DO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &action.sa_mask, (void *)8, 8));
  unsigned long mask = 0;
  DO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8));
  SAY("blocked %lx", mask);
  DO(syscall(SYS_rt_sigpending, &mask, 9));
  DO(syscall(SYS_rt_sigpending, (void *)8, 8));
}
