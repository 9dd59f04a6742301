// Who has a lease on a file gets a signal when another opens it, and the other waits until the lease is given back.
// home: fork
#include "../../lab.h"

static volatile sig_atomic_t caught, which;
static void handler(int signal, siginfo_t *info, void *context UNUSED) { caught = signal; which = info->si_fd; }

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 1, &action, NULL);
  DO(fcntl(fd, F_SETSIG, SIGRTMIN + 1));
  DO(fcntl(fd, F_SETLEASE, F_RDLCK));
  DO(fcntl(fd, F_SETLEASE, F_WRLCK));
  DO(fcntl(fd, F_GETLEASE));
  DO(fcntl(fd, F_SETLEASE, 77));
  const pid_t child = FORK();
  if (!child) {
    if (open("file", O_RDWR | O_NONBLOCK) >= 0 || errno != EWOULDBLOCK) _exit(1);
    _exit(open("file", O_RDWR) < 0 ? 2 : 3);
  }
  for (int i = 0; i < 500 && !caught; ++i) sleep_ms(2);
  SAY("caught %d, %d", caught == SIGRTMIN + 1, which == fd);
  DO(fcntl(fd, F_GETLEASE));
  DO(fcntl(fd, F_SETLEASE, F_UNLCK));
  SAY("child %d", ended(child));
  DO(fcntl(fd, F_GETLEASE));
}
