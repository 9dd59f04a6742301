// Contexts made with makecontext are swapped from one place to another, with their stacks and masks.
#include "../../lab.h"
#include <ucontext.h>

static ucontext_t start, one, two;
static void run(int who, int turns) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, who == 1 ? SIGUSR1 : SIGUSR2);
  sigprocmask(SIG_SETMASK, &set, NULL);
  double sum = who;
  for (int i = 0; i < turns; ++i) {
    sum = sum * 1.5 + i;
    AT(swapcontext(who == 1 ? &one : &two, who == 1 ? &two : &one));
    sigprocmask(SIG_SETMASK, NULL, &set);
    SAY("%d: turn %d sum %.6f masks %d %d", who, i, sum, sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
  }
}

BEHAVIOUR {
  static char stacks[2][65536] __attribute__((aligned(16)));
  getcontext(&one), getcontext(&two);
  one.uc_stack.ss_sp = stacks[0], one.uc_stack.ss_size = sizeof stacks[0], one.uc_link = &two;
  two.uc_stack.ss_sp = stacks[1], two.uc_stack.ss_size = sizeof stacks[1], two.uc_link = &start;
  makecontext(&one, (void (*)(void))run, 2, 1, 5);
  makecontext(&two, (void (*)(void))run, 2, 2, 5);
  DO(swapcontext(&start, &one));
  sigset_t set;
  sigprocmask(SIG_SETMASK, NULL, &set);
  SAY("masks %d %d", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
}
