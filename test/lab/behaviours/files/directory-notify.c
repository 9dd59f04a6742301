// F_NOTIFY sends a signal when something in a directory changes.
#include "../../lab.h"

static volatile sig_atomic_t caught, which;
static void handler(int signal UNUSED, siginfo_t *info, void *context UNUSED) { ++caught; which = info->si_fd; }
static void wait_for_it(void) { for (int i = 0; i < 500 && !caught; ++i) sleep_ms(2); }

BEHAVIOUR {
  DO(mkdir("d", 0700));
  const int fd = DO(open("d", O_RDONLY));
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 2, &action, NULL);
  DO(fcntl(fd, F_SETSIG, SIGRTMIN + 2));
  if (DO(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT)) < 0) return;
  const int file = DO(open("d/file", O_CREAT | O_WRONLY, 0600));
  wait_for_it();
  SAY("caught %d, %d", caught, which == fd);
  caught = 0;
  DO(write(file, "x", 1));
  DO(fcntl(fd, F_NOTIFY, DN_DELETE));
  DO(unlink("d/file"));
  wait_for_it();
  SAY("caught %d", caught);
  DO(fcntl(file, F_NOTIFY, DN_CREATE));
}
