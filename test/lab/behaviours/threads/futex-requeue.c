// Waiters that were moved to another futex are woken there, and a wake of the first finds none of them.
#include "../../lab.h"
#include <linux/futex.h>

static int words[2];
static atomic_int waiting, woken;
static long futex(int *at, int op, int value, long time, int *at2, int value3) { return syscall(SYS_futex, at, op, value, time, at2, value3); }
static void *run(void *none) {
  ++waiting;
  if (futex(&words[0], FUTEX_WAIT_PRIVATE, 0, 0, NULL, 0) == 0) ++woken;
  return none;
}

// A child that passes no point stays where it is: a move has the waiters wait for their own word again, as a signal would.
BEHAVIOUR {
  for (int turn = 0; turn < 4; ++turn) {
    const pid_t child = FORK();
    if (child == 0) {
      pthread_t threads[4];
      for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, run, NULL);
      while (waiting < 4) sleep_ms(1);
      // Each is in the kernel once all can be moved.
      while (futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 0, 10, &words[1], 0) + futex(&words[1], FUTEX_CMP_REQUEUE_PRIVATE, 0, 10, &words[0], 0) < 8) sleep_ms(1);
      SAY("requeued %ld", futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 1, 10, &words[1], 0));
      SAY("woke %ld", futex(&words[0], FUTEX_WAKE_PRIVATE, 10, 0, NULL, 0));
      SAY("woke %ld", futex(&words[1], FUTEX_WAKE_PRIVATE, 10, 0, NULL, 0));
      for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
      _exit(woken);
    }
    SAY("child %d", ended(child));
  }
}
