// A fork bomb stops at the limit of processes: EAGAIN, nothing else, and when all of it has ended there may be as many again.
// home: fork, clone
#include "../../lab.h"
#include <sys/resource.h>

// Every process makes children, and tries again what is refused: those of before count until they have been waited for. What is made and what is
// refused goes through a pipe.
static void bomb(int to, int depth) {
  for (int i = 0; i < 3;) {
    const pid_t child = fork();
    if (child == 0) {
      (void)!write(to, "+", 1);
      if (depth) bomb(to, depth - 1);
      for (;;) pause();
    }
    if (child > 0) {
      ++i;
      continue;
    }
    (void)!write(to, errno == EAGAIN ? "-" : "?", 1);
    usleep(20000);
  }
}

BEHAVIOUR {
  for (int turn = 0; turn < 2; ++turn) {
    int ends[2];
    AT((void)!pipe(ends));
    const pid_t child = FORK();
    if (child == 0) {
      setpgid(0, 0);
      if (setresuid(61235, 61235, 61235) || setrlimit(RLIMIT_NPROC, &(struct rlimit){12, 12})) _exit(1);
      lab_point("the bomb");
      bomb(ends[1], 3);
      for (;;) pause();
    }
    close(ends[1]);
    int made = 0, refused = 0;
    char what;
    while ((made < 11 || refused < 3) && read(ends[0], &what, 1) == 1) {
      if (what == '+') ++made;
      else if (what == '-') ++refused;
      else SAY("another error");
    }
    SAY("%d made, and no more", made);
    lab_point("the end of the bomb");
    AT(kill(-child, SIGKILL));
    SAY("child %d", ended(child));
    while (read(ends[0], &what, 1) == 1) continue;                 // until the last has ended
    close(ends[0]);
  }
}
