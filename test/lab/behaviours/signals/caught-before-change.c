// A signal that a thread has got is handled as was said when it came, though the next call says otherwise: nobody dies of it.
#include "../../lab.h"
#include <linux/futex.h>

static atomic_int turn, handled, ends;
static void handler(int signal) { handled += signal == SIGUSR1; }

// Sent to this thread before it sees its turn: the kernel runs the handler before the first call returns, so in any case before the second.
static void *changes(void *none) {
  static int word;
  for (int seen = 0; !ends;) {
    if (turn == seen) continue;
    seen = turn;
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR1, handler);
    turn = ++seen;
  }
  return none;
}

BEHAVIOUR {
  pthread_t thread;
  signal(SIGUSR1, handler);
  pthread_create(&thread, NULL, changes, NULL);
  for (int i = 0; i < 300; ++i) {
    if (i % 60 == 0) lab_point("some more");
    const int now = turn;
    pthread_kill(thread, SIGUSR1);
    turn = now + 1;
    while (turn == now + 1) continue;
  }
  SAY("handled %d", handled);
  ends = 1;
  GIVES(pthread_join(thread, NULL));
}
