// The C library's restartable sequences stay registered through moves and tell the processor; registering again is refused.
#include "../../lab.h"
#include <linux/rseq.h>
#include <sched.h>
#include <sys/rseq.h>

static struct rseq *area(void) { return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset); }
static void *run(void *none) {
  long wrong = 0;
  for (int i = 0; i < 60; ++i) {
    wrong += (int)area()->cpu_id < 0 || area()->cpu_id >= 1024;
    sleep_ms(2);
  }
  (void)none;
  return (void *)wrong;
}

BEHAVIOUR {
  HOLDS(__rseq_size > 0);
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  for (int i = 0; i < 4; ++i) {
    DO(syscall(SYS_rseq, area(), 32, 0, 0x53053053));
    DO(syscall(SYS_rseq, area(), 32, 0, 0x1234));
    HOLDS((int)area()->cpu_id >= 0 && area()->cpu_id < 1024);
  }
  void *wrong;
  pthread_join(thread, &wrong);
  SAY("wrong %ld", (long)wrong);
  static struct rseq own __attribute__((aligned(32)));
  DO(syscall(SYS_rseq, area(), 32, RSEQ_FLAG_UNREGISTER, 0x53053053));
  SAY("cpu %d", (int)area()->cpu_id);
  own.cpu_id = 0xffffffff;
  DO(syscall(SYS_rseq, &own, 32, 0, 0x11223344));
  AT(sched_yield());
  HOLDS((int)own.cpu_id >= 0);
  DO(syscall(SYS_rseq, &own, 32, RSEQ_FLAG_UNREGISTER, 0x11223344));
  DO(syscall(SYS_rseq, &own, 32, RSEQ_FLAG_UNREGISTER, 0x11223344));
}
