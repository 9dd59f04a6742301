// clone(CLONE_VM | CLONE_VFORK) with a stack of the child's own, as posix_spawn makes it: the parent waits, the child writes where the parent reads, ends, runs a
// program, or fails to; also from two threads at a time.
#include "../../lab.h"
#include <sched.h>

struct work { int kind, seen, error; char stack[65536] __attribute__((aligned(16))); };

static int run(void *argument) {
  struct work *work = argument;
  char *words[] = {"sh", "-c", "exit 5", NULL}, *none[] = {NULL};
  work->seen = 1;
  if (work->kind == 1) execve("/bin/sh", words, none);
  if (work->kind == 2) execve("/nowhere/to/be/found", words, none), work->error = errno;
  if (work->kind == 3) sleep_ms(30);
  work->seen = 2;
  return 10 + work->kind;
}

static int spawn(struct work *work, int kind) {
  work->kind = kind;
  work->seen = work->error = 0;
  const pid_t child = clone(run, work->stack + sizeof work->stack, CLONE_VM | CLONE_VFORK | SIGCHLD, work);
  return child < 0 ? -errno : ended(child);
}

static struct work own, others;
static void *more(void *none) {
  for (int i = 0; i < 6; ++i)
    if (spawn(&others, i % 4) != (i % 4 == 1 ? 5 : 10 + i % 4)) return "wrong";
  return none;
}

BEHAVIOUR {
  for (int kind = 0; kind < 4; ++kind) {
    DO(spawn(&own, kind));
    SAY("seen %d, error %s", own.seen, lab_error(own.error));
  }
  pthread_t thread;
  AT(pthread_create(&thread, NULL, more, NULL));
  for (int i = 0; i < 6; ++i) {
    DO(spawn(&own, i % 4));
    SAY("seen %d, error %s", own.seen, lab_error(own.error));
  }
  void *result;
  AT(pthread_join(thread, &result));
  SAY("%s", result ? (char *)result : "all right");
  DO(waitpid(-1, NULL, 0));
}
