// Scheduling policies and priorities are kept, inherited, bounded, and given back; SCHED_RESET_ON_FORK is not inherited.
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  struct sched_param param = {0};
  struct timespec slice;
  DO(sched_getscheduler(0));
  DO(sched_setscheduler(0, SCHED_BATCH, &param));
  DO(sched_getscheduler(0));
  param.sched_priority = 5;
  DO(sched_setscheduler(0, SCHED_BATCH, &param));
  DO(sched_setscheduler(0, 77, &param));
  DO(sched_setscheduler(0x7ffffff0, SCHED_OTHER, &param));
  DO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, 8));
  DO(sched_setscheduler(-1, SCHED_OTHER, &param));
  DO(sched_get_priority_max(SCHED_FIFO));
  DO(sched_get_priority_min(SCHED_RR));
  DO(sched_get_priority_max(77));
  param.sched_priority = 0;
  DO(sched_setscheduler(0, SCHED_IDLE | SCHED_RESET_ON_FORK, &param));
  const pid_t child = FORK();
  if (child == 0) _exit(sched_getscheduler(0));
  SAY("child %d", ended(child));
  DO(sched_getscheduler(0));
  DO(sched_setscheduler(0, SCHED_OTHER, &param));
  DO(sched_getparam(0, &param));
  DO(sched_rr_get_interval(0, &slice));
  struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t more[3], last; } attr = {48, 0, 0, 11, 0, {0}, 0};
  DO(syscall(SYS_sched_setattr, 0, &attr, 0));
  memset(&attr, 0x55, sizeof attr);
  DO(syscall(SYS_sched_getattr, 0, &attr, 48, 0));
  SAY("%d %d", attr.size, attr.nice);
  DO(syscall(SYS_sched_getattr, 0, &attr, 10, 0));
  attr.size = 5;
  DO(syscall(SYS_sched_setattr, 0, &attr, 0));
}
