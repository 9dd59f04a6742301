// setuid changes all threads of a process, wherever they are; the system call alone changes one.
#include "../../lab.h"

static atomic_int step;
static void *run(void *none) {
  while (step < 1) sleep_ms(1);
  lab_point("in the thread");
  const long first = syscall(SYS_geteuid);
  step = 2;
  while (step < 3) sleep_ms(1);
  lab_point("in the thread again");
  SAY("thread: %ld, %ld", first, syscall(SYS_geteuid));
  return none;
}

BEHAVIOUR {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  DO(syscall(SYS_setresuid, -1, 1009, -1));
  step = 1;
  while (step < 2) sleep_ms(1);
  DO(syscall(SYS_setresuid, -1, 0, -1));
  DO(setresuid(1001, 1001, 1001));
  step = 3;
  GIVES(pthread_join(thread, NULL));
}
