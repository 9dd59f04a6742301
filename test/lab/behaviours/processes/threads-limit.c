// Where the limit of processes is reached by threads, the next is EAGAIN; when some have ended there may be others. None is lost, and none is counted twice.
// home: clone
#include "../../lab.h"
#include <sys/resource.h>

static pthread_barrier_t barrier;
static void *wait_for_all(void *none) { return pthread_barrier_wait(&barrier), none; }

BEHAVIOUR {
  const pid_t child = FORK();
  if (child == 0) {
    if (setresuid(61236, 61236, 61236) || setrlimit(RLIMIT_NPROC, &(struct rlimit){8, 8})) _exit(1);
    for (int turn = 0; turn < 3; ++turn) {
      pthread_t threads[8];
      int made = 0;
      pthread_barrier_init(&barrier, NULL, 8);
      lab_point("threads");
      // A thread that has been joined counts for a moment more (its number is free before the kernel takes it off).
      for (int tries = 0; made < 7 && tries < 200; ++tries)
        if (!pthread_create(&threads[made], NULL, wait_for_all, NULL)) ++made;
        else sleep_ms(10);
      pthread_t more;
      lab_point("one too many");
      SAY("%d, then %s", made, lab_error(pthread_create(&more, NULL, wait_for_all, NULL)));
      const pid_t no = fork();
      if (no == 0) _exit(0);
      SAY("a child: %s", no < 0 ? lab_error(errno) : "done");
      if (made < 7) _exit(2);
      pthread_barrier_wait(&barrier);
      for (int i = 0; i < made; ++i) pthread_join(threads[i], NULL);
      pthread_barrier_destroy(&barrier);
    }
    _exit(3);
  }
  SAY("child %d", ended(child));
}
