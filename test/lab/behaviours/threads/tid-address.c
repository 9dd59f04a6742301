// set_tid_address gives the thread's number; a thread that ends clears its word and wakes who waits for it.
#include "../../lab.h"
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));
static int parent_tid, child_tid, word, seen;
static int run(void *argument) {
  seen = child_tid == (int)syscall(SYS_gettid) && parent_tid == child_tid;
  const struct timespec time = {0, 80000000};
  syscall(SYS_nanosleep, &time, NULL);
  if (argument) syscall(SYS_set_tid_address, argument);
  syscall(SYS_exit, 0);
  return 0;
}

BEHAVIOUR {
  DO(syscall(SYS_set_tid_address, &word) == gettid());
  for (int i = 0; i < 4; ++i) {
    word = 1;
    lab_point("clone");
    const int tid = clone(run, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                          i % 2 ? &word : NULL, &parent_tid, NULL, &child_tid);
    int *at = i % 2 ? &word : &child_tid;
    if (i % 2) {
      for (int value; (value = __atomic_load_n(at, __ATOMIC_SEQ_CST)) != 0;) AT(syscall(SYS_futex, at, FUTEX_WAIT, value, NULL, NULL, 0));
      HOLDS(child_tid == tid);
    } else {
      for (int value; (value = __atomic_load_n(at, __ATOMIC_SEQ_CST)) != 0;) AT(syscall(SYS_futex, at, FUTEX_WAIT, value, NULL, NULL, 0));
    }
    while (syscall(SYS_tgkill, getpid(), tid, 0) == 0) sleep_ms(1);
    HOLDS(seen == 1 && parent_tid == tid);
  }
}
