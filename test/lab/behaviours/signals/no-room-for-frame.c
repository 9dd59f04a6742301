// Where a handler's frame has no room, on the stack or on an alternate one that is too small, the process ends by SIGSEGV.
#include "../../lab.h"
#include <sys/resource.h>
#include <sys/time.h>

static char stack[65536] __attribute__((aligned(4096)));
static void handler(int signal) { _exit(signal); }

BEHAVIOUR {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  for (int how = 0; how < 4; ++how) {
    const pid_t child = FORK();
    if (child == 0) {
      struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
      sigaction(SIGALRM, &action, NULL);
      stack_t mine = {.ss_sp = stack + 32768, .ss_size = how == 1 ? 2048 : 16384};
      char *bad = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (how == 2) mine.ss_sp = bad;
      if (how) sigaltstack(&mine, NULL);
      lab_point("child");
      struct itimerval soon = {.it_value = {0, 60000}};
      syscall(SYS_setitimer, 0, &soon, NULL);
      if (how == 0) asm volatile("movq %0, %%rsp; 1: pause; jmp 1b" ::"r"(bad + 32768));
      for (;;) pause();
    }
    SAY("%d: %d", how, ended(child));
  }
}
