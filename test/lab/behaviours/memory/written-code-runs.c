// Code that the program writes into its memory runs, also after it was written anew, and not where memory is not executable.
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int code;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  code = info->si_code;
  siglongjmp(back, signal);
}
static unsigned char *at;
static void put(unsigned char value) {
  const unsigned char text[] = {0xb8, value, 0, 0, 0, 0xc3};            // mov $value, %eax; ret
  memcpy(at, text, sizeof text);
}
static void run(void) {
  const int signal = sigsetjmp(back, 1);
  if (signal) SAY("signal %d, %s", signal, code == SEGV_ACCERR ? "ACCERR" : "?");
  else SAY("%d", ((int (*)(void))at)());
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 1; i < 5; ++i) {
    AT(put((unsigned char)i));
    AT(run());
  }
  DO(mprotect(at, 4096, PROT_READ | PROT_WRITE));
  AT(run());
  AT(put(77));
  DO(mprotect(at, 4096, PROT_READ | PROT_EXEC));
  AT(run());
  at = (unsigned char *)((uintptr_t)malloc(3 * 4096) & ~4095ul) + 4096;
  put(9);
  AT(run());
  DO(mprotect(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
  AT(run());
}
