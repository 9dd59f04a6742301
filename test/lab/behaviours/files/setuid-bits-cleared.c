// A write, a truncation and a new owner take the set-user-ID bit from a file where the writer is not privileged.
#include "../../lab.h"

static int fd;
static int mode(void) {
  struct stat is;
  return fstat(fd, &is) ? -1 : (int)(is.st_mode & 07777);
}

BEHAVIOUR {
  DO(chmod(".", 0777));
  fd = DO(open("file", O_RDWR | O_CREAT, 0666));
  DO(fchmod(fd, 06777));
  DO(write(fd, "x", 1));
  SAY("%o", mode());
  DO(fchown(fd, 1000, 1000));
  SAY("%o", mode());
  DO(fchmod(fd, 06777));
  DO(setresuid(-1, 1000, -1));
  DO(write(fd, "x", 1));
  SAY("%o", mode());
  DO(fchmod(fd, 06777));
  DO(ftruncate(fd, 0));
  SAY("%o", mode());
  DO(fchmod(fd, 06777));
  DO(fchown(fd, -1, 1000));
  SAY("%o", mode());
  DO(setresuid(-1, 0, -1));
}
