// A parent is told of each stop and each continuation of its child, whatever the child does and wherever it goes meanwhile.
// refused: it is stopped
// refused: could not be stopped
// refused: ended
#include "../../lab.h"
#include <sys/prctl.h>


static void child(void) {
  for (;;) {
    lab_point("turn");
    for (int i = 0; i < 300; ++i) getppid(), seconds_now(CLOCK_MONOTONIC);
  }
}

static int waited(pid_t pid, int options) {
  int status;
  for (int tries = 0; tries < 500; ++tries, sleep_ms(10)) {
    const pid_t got = waitpid(pid, &status, options | WNOHANG);
    if (got == pid) return WIFSTOPPED(status) ? WSTOPSIG(status) : WIFCONTINUED(status) ? 1000 : -1;
  }
  return -2;
}

BEHAVIOUR {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    child();
  }
  int stops = 0, continuations = 0;
  for (int i = 0; i < 40; ++i) {
    sleep_ms(i * 7 % 19);
    kill(pid, SIGSTOP);
    stops += waited(pid, WUNTRACED) == SIGSTOP;
    sleep_ms(i % 3);
    kill(pid, SIGCONT);
    continuations += waited(pid, WCONTINUED) == 1000;
  }
  SAY("%d stops, %d continuations", stops, continuations);
  kill(pid, SIGKILL);
  SAY("%d", ended(pid));
}
