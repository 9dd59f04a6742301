// Without a handler, or with the signal blocked or ignored, a fault ends the process by its signal.
#include "../../lab.h"
#include <sys/resource.h>

static volatile int zero;
static void fault(int which) {
  if (which == 0) *(volatile int *)8 = 1;
  else if (which == 1) asm volatile("ud2");
  else if (which == 2) zero = 1 / zero;
  else if (which == 3) asm volatile("int3");
  else if (which == 4) asm volatile("hlt");
  else abort();
}

BEHAVIOUR {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  for (int how = 0; how < 3; ++how)
    for (int which = 0; which < 6; ++which) {
      const pid_t child = which % 3 == how ? FORK() : fork();
      if (child == 0) {
        sigset_t all;
        sigfillset(&all);
        for (int s = 1; s < 32 && how == 1; ++s) signal(s, SIG_IGN);
        if (how == 2) sigprocmask(SIG_BLOCK, &all, NULL);
        if (which % 3 != how) lab_point("child");
        fault(which);
        _exit(which);                                 // ignored: the trap alone, which is no fault
      }
      SAY("%d %d: %d", how, which, ended(child));
    }
}
