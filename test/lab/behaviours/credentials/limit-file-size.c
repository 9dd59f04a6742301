// A write beyond RLIMIT_FSIZE is cut, then SIGXFSZ, or EFBIG where that is caught or ignored; the file does not grow.
#include "../../lab.h"
#include <sys/resource.h>

static volatile sig_atomic_t caught;
static void handler(int signal) { (void)signal; ++caught; }

BEHAVIOUR {
  static char text[3000];
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(setrlimit(RLIMIT_FSIZE, &(struct rlimit){5000, RLIM_INFINITY}));
  signal(SIGXFSZ, handler);
  DO(write(fd, text, sizeof text));
  DO(write(fd, text, sizeof text));
  DO(write(fd, text, sizeof text));
  SAY("caught %d", caught);
  DO(ftruncate(fd, 6000));
  SAY("caught %d", caught);
  DO(pwrite(fd, text, 1, 4999));
  const pid_t child = FORK();
  if (child == 0) {
    signal(SIGXFSZ, SIG_DFL);
    lab_point("write");
    if (write(fd, text, 1)) _exit(1);
    _exit(0);
  }
  SAY("child %d", ended(child));
  DO(lseek(fd, 0, SEEK_END));
  DO(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
  DO(write(fd, text, 10));
}
