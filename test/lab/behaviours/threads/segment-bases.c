// arch_prctl's bases of fs and gs are kept through moves, each thread's own.
// home: arch_prctl
#include "../../lab.h"
#include <asm/prctl.h>

static char area[2][64] = {"first", "second"};
static volatile int stop;
static char at_gs(void) {
  char c;
  asm volatile("movb %%gs:0, %0" : "=r"(c));
  return c;
}
static void *run(void *none) {
  long wrong = 0;
  unsigned long base = 0;
  syscall(SYS_arch_prctl, ARCH_SET_GS, area[1]);
  while (!stop) {
    wrong += at_gs() != 's';
    sleep_ms(1);
  }
  syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
  (void)none;
  return (void *)(wrong + (base != (unsigned long)area[1]) * 1000);
}

BEHAVIOUR {
  unsigned long fs = 0, gs = 77, now = 0;
  DO(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
  SAY("%lx", gs);
  DO(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
  HOLDS(fs == (unsigned long)__builtin_thread_pointer());
  DO(syscall(SYS_arch_prctl, ARCH_SET_GS, area[0]));
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  for (int i = 0; i < 4; ++i) {
    AT(sched_yield());
    SAY("%c", at_gs());
    DO(syscall(SYS_arch_prctl, ARCH_GET_GS, &now));
    HOLDS(now == (unsigned long)area[0]);
  }
  stop = 1;
  void *wrong;
  pthread_join(thread, &wrong);
  SAY("wrong %ld", (long)wrong);
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("child");
    _exit(at_gs());
  }
  SAY("child %c", ended(child));
  DO(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x8000000000000000));
  DO(syscall(SYS_arch_prctl, ARCH_GET_FS, (void *)8));
  DO(syscall(SYS_arch_prctl, 0x9999, 0));
}
