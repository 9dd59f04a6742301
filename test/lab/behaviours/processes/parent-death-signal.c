// PR_SET_PDEATHSIG sends its signal when the parent ends; a child of fork has none, and it must be a signal.
#include "../../lab.h"
#include <sys/prctl.h>

BEHAVIOUR {
  int value = -1, ends[2];
  DO(prctl(PR_SET_PDEATHSIG, 65));
  DO(prctl(PR_SET_PDEATHSIG, SIGUSR2));
  DO(prctl(PR_GET_PDEATHSIG, &value));
  SAY("%d", value == SIGUSR2);
  DO(prctl(PR_SET_PDEATHSIG, 0));
  DO(prctl(PR_GET_PDEATHSIG, 8));
  DO(pipe(ends));
  const pid_t middle = FORK();
  if (middle == 0) {
    const pid_t child = fork();
    if (child == 0) {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR1);
      sigprocmask(SIG_BLOCK, &set, NULL);
      prctl(PR_SET_PDEATHSIG, SIGUSR1);
      if (write(ends[1], "r", 1) != 1) abort();
      lab_point("wait for it");
      const int got = sigwaitinfo(&set, NULL);
      if (write(ends[1], got == SIGUSR1 ? "s" : "x", 1) != 1) abort();
      _exit(0);
    }
    pause();
    _exit(0);
  }
  char word = 0;
  DO(read(ends[0], &word, 1));
  DO(kill(middle, SIGTERM));
  DO(read(ends[0], &word, 1));
  SAY("%c", word);
  SAY("middle %d", ended(middle));
}
