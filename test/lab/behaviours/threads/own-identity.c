// The raw calls change the identity of one thread; the C library's change all.
// refused: Permission denied
#include "../../lab.h"

static volatile int step;
static void until(int n) { while (step < n) sleep_ms(1); }
static void *run(void *none) {
  until(1);
  SAY("other: %d %d", (int)syscall(SYS_getuid), (int)syscall(SYS_geteuid));
  if (syscall(SYS_setresuid, -1, 1234, -1)) SAY("setresuid failed");
  SAY("other: %d", (int)syscall(SYS_geteuid));
  step = 2;
  until(3);
  SAY("other: %d", (int)syscall(SYS_geteuid));
  if (syscall(SYS_setresuid, -1, 0, -1)) SAY("setresuid failed");
  step = 4;
  until(5);
  SAY("other: %d", (int)syscall(SYS_geteuid));
  step = 6;
  return none;
}

BEHAVIOUR {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  DO(syscall(SYS_setresuid, -1, 4321, -1));
  step = 1;
  until(2);
  SAY("%d", (int)geteuid());
  DO(syscall(SYS_setresuid, -1, 0, -1));
  SAY("%d", (int)geteuid());
  step = 3;
  until(4);
  DO(seteuid(77));
  step = 5;
  until(6);
  DO(seteuid(0));
  pthread_join(thread, NULL);
  SAY("%d", (int)geteuid());
}
