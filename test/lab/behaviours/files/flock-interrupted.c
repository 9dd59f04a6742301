// A signal ends a wait for flock, or with SA_RESTART does not; and the lock of a child that ends is free.
// home: fork
#include "../../lab.h"
#include <sys/file.h>

static int fd;
static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  int ends[2];
  char byte;
  fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(pipe(ends));
  const pid_t child = FORK();
  if (!child) {
    const int own = open("file", O_RDWR);
    if (flock(own, LOCK_EX) || write(ends[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  DO(read(ends[0], &byte, 1));
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t other = later(60, send_it);
  DO(flock(fd, LOCK_EX));
  SAY("caught %d", caught == SIGUSR1);
  pthread_join(other, NULL);
  DO(kill(child, SIGKILL));
  SAY("child %d", ended(child));
  DO(flock(fd, LOCK_EX | LOCK_NB));
}
