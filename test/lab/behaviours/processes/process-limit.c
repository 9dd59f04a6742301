// Where the limit of processes is reached, fork, vfork and new threads are EAGAIN, and work again when one has ended.
// home: fork, clone
#include "../../lab.h"
#include <sys/resource.h>

static void *nothing(void *none) { return none; }

BEHAVIOUR {
  const pid_t child = FORK();
  if (child == 0) {
    if (setresuid(61234, 61234, 61234) || setrlimit(RLIMIT_NPROC, &(struct rlimit){2, 2})) _exit(1);
    const pid_t one = fork();
    if (one == 0) for (;;) pause();
    lab_point("one too many");
    const pid_t two = fork();
    if (two == 0) _exit(0);
    SAY("fork: %s", two < 0 ? lab_error(errno) : "done");
    pthread_t thread;
    SAY("thread: %s", lab_error(pthread_create(&thread, NULL, nothing, NULL)));
    kill(one, SIGKILL);
    SAY("one %d", ended(one));
    lab_point("again");
    const pid_t three = fork();
    if (three == 0) _exit(9);
    SAY("three %d", ended(three));
    _exit(0);
  }
  SAY("child %d", ended(child));
}
