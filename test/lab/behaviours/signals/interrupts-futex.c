// A futex wait without a time-out follows SA_RESTART; one with a time-out ends with EINTR at any handler.
#include "../../interrupts.h"
#include <linux/futex.h>

static int word;
// Of a word that stays as it is nobody is woken who is about to wait again, after a handler or a move.
static void wake(void) {
  for (int tries = 0; tries < 200 && syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0; ++tries) sleep_ms(5);
}

BEHAVIOUR {
  struct timespec time = {5, 0}, until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += 20;
  INTERRUPTED(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
  RESTARTED(wake, syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
  INTERRUPTED(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0));
  RESTARTED(wake, syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0));
  RESTARTED(wake, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, ~0));
  RESTARTED(wake, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, ~0));
  INTERRUPTED(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0));
}
