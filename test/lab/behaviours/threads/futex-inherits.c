// The futex operations with priority inheritance: the word holds its owner's number, waiters take over in the kernel, and handlers do not end the wait.
#include "../../lab.h"
#include <linux/futex.h>

static unsigned word;
static volatile pid_t other_tid;
static volatile long result = 77;
static atomic_int caught, go;
static long futex(int op, long time) { return syscall(SYS_futex, &word, op, 0, time, NULL, 0); }
static void handler(int signal) { (void)signal, ++caught; }
static void *run(void *timed) {
  struct timespec until = {seconds_now(CLOCK_REALTIME) + 20, 0};
  other_tid = gettid();
  result = futex(FUTEX_LOCK_PI_PRIVATE, timed ? (long)&until : 0) ? errno : 0;
  while (!go) sleep_ms(1);
  futex(FUTEX_UNLOCK_PI_PRIVATE, 0);
  return NULL;
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  DO(futex(FUTEX_LOCK_PI_PRIVATE, 0));
  HOLDS(word == (unsigned)gettid());
  DO(futex(FUTEX_LOCK_PI_PRIVATE, 0));
  DO(futex(FUTEX_TRYLOCK_PI_PRIVATE, 0));
  DO(futex(FUTEX_UNLOCK_PI_PRIVATE, 0));
  DO(futex(FUTEX_UNLOCK_PI_PRIVATE, 0));
  for (long i = 0; i < 2; ++i) {
    pthread_t thread;
    go = caught = 0;
    other_tid = 0, result = 77;
    futex(FUTEX_LOCK_PI_PRIVATE, 0);
    pthread_create(&thread, NULL, run, (void *)i);
    while (!other_tid) sleep_ms(1);
    sleep_ms(20);
    GIVES(pthread_kill(thread, SIGUSR1));
    while (!caught) sleep_ms(1);
    AT(sleep_ms(20));
    SAY("still waits %d", result == 77);
    HOLDS((word & FUTEX_TID_MASK) == (unsigned)gettid());
    DO(futex(FUTEX_UNLOCK_PI_PRIVATE, 0));
    while (result == 77) sleep_ms(1);
    SAY("result %ld", result);
    HOLDS((word & FUTEX_TID_MASK) == (unsigned)other_tid);
    DO(futex(FUTEX_UNLOCK_PI_PRIVATE, 0));
    struct timespec past = {1, 0};
    DO(futex(FUTEX_LOCK_PI_PRIVATE, (long)&past));
    go = 1;
    pthread_join(thread, NULL);
    HOLDS(word == 0);
  }
}
