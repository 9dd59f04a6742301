// Calls on regular files never end with EINTR, however many signals are handled meanwhile.
#include "../../lab.h"
#include <sys/time.h>

static volatile sig_atomic_t ticks;
static void tick(int signal) { ticks += signal == SIGALRM; }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = tick};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 300}, {0, 300}};
  int wrong = 0;
  for (int turn = 0; turn < 8; ++turn) {
    lab_point("a turn");
    setitimer(ITIMER_REAL, &often, NULL);
    const double until = seconds_now(CLOCK_MONOTONIC) + 0.05;
    while (seconds_now(CLOCK_MONOTONIC) < until) {
      char text[6] = "";
      const int fd = open("file", O_RDWR | O_CREAT, 0600);
      wrong += fd < 0 || pwrite(fd, "words", 5, 0) != 5 || pread(fd, text, 5, 0) != 5 || strcmp(text, "words") || close(fd);
    }
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
  }
  HOLDS(wrong == 0);
  HOLDS(ticks > 0);
}
