// A fork in a thread makes a child with that thread alone, which is its first, with the thread's mask and thread-local variables.
#include "../../lab.h"

static __thread int mine = 1;
static pid_t child;
static void *run(void *none) {
  mine = 42;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  child = FORK();
  if (child == 0) {
    lab_point("in the child");
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    _exit(mine + (gettid() == getpid()) + sigismember(&now, SIGWINCH));
  }
  return none;
}

BEHAVIOUR {
  pthread_t thread;
  GIVES(pthread_create(&thread, NULL, run, NULL));
  GIVES(pthread_join(thread, NULL));
  DO(mine);
  SAY("child %d", ended(child));
}
