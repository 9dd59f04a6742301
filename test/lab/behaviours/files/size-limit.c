// At RLIMIT_FSIZE a write is cut short, the next one fails with EFBIG and SIGXFSZ.
#include "../../lab.h"
#include <sys/resource.h>

static volatile sig_atomic_t caught;
static void handler(int signal UNUSED) { ++caught; }

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGXFSZ, &action, NULL);
  DO(setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 100}));
  DO(write(fd, "12345678", 8));
  DO(write(fd, "12345678", 8));
  SAY("caught %d", caught);
  DO(write(fd, "12345678", 8));
  SAY("caught %d", caught);
  DO(pwrite(fd, "x", 1, 10));
  DO(ftruncate(fd, 11));
  DO(fallocate(fd, 0, 5, 6));
  SAY("caught %d", caught);
  DO(lseek(fd, 0, SEEK_END));
  signal(SIGXFSZ, SIG_IGN);
  DO(write(fd, "x", 1));
  DO(pwrite(fd, "x", 1, 9));
  DO(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, 100}));
  DO(write(fd, "x", 1));
}
