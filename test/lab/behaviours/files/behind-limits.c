// Writes to a file that come to a limit on its size, are synchronous, sealed or against a lock: each is told what it is told at home, by the write itself.
// libraries: pthread
#include "../../lab.h"
#include <sys/resource.h>
#include <sys/mman.h>

static char piece[5000];
static void *volatile nowhere = (void *)8;

static void fill(int fd, int times) {
  for (int i = 0; i < times; ++i) HOLDS(write(fd, piece, sizeof piece) == sizeof piece);
}

static volatile sig_atomic_t signalled;
static void note(int signal) { signalled = signal; }

BEHAVIOUR {
  HOLDS(signal(SIGXFSZ, note) != SIG_ERR);
  int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  fill(fd, 5);
  struct rlimit limit;
  HOLDS(getrlimit(RLIMIT_FSIZE, &limit) == 0);
  limit.rlim_cur = 42000;
  DO(setrlimit(RLIMIT_FSIZE, &limit));
  fill(fd, 3);
  DO(write(fd, piece, sizeof piece));
  SAY("signal %d", signalled);
  DO(write(fd, piece, sizeof piece));
  SAY("signal %d", signalled);
  limit.rlim_cur = limit.rlim_max;
  DO(setrlimit(RLIMIT_FSIZE, &limit));
  fill(fd, 4);
  DO(fcntl(fd, F_SETFL, O_APPEND));
  fill(fd, 4);
  DO(write(fd, nowhere, 10));
  DO(write(fd, piece, 0));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(close(fd));
  fd = DO(open("file", O_WRONLY | O_SYNC));
  fill(fd, 3);
  DO(close(fd));
  fd = DO(open("file", O_RDONLY));
  DO(write(fd, piece, 10));
  DO(close(fd));

  fd = DO(memfd_create("sealed", MFD_ALLOW_SEALING));
  fill(fd, 3);
  DO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
  DO(write(fd, piece, sizeof piece));
  DO(lseek(fd, 0, SEEK_SET));
  fill(fd, 2);
  DO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  DO(write(fd, piece, sizeof piece));
}
