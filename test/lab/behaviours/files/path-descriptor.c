// A descriptor of O_PATH names a file without opening it: it can be looked at and opened through, but not read.
#include "../../lab.h"
#include <sys/file.h>

BEHAVIOUR {
  char text[8] = "";
  struct stat is;
  DO(close(DO(open("file", O_CREAT | O_WRONLY, 0000))));
  DO(mkdir("directory", 0700));
  const int fd = DO(open("file", O_PATH)), directory = DO(open("directory", O_PATH));
  DO(read(fd, text, 1));
  DO(write(fd, text, 1));
  DO(lseek(fd, 0, SEEK_SET));
  DO(fchmod(fd, 0600));
  DO(ftruncate(fd, 0));
  DO(fstat(fd, &is));
  DO(fcntl(fd, F_GETFL) == (O_PATH | O_LARGEFILE) || fcntl(fd, F_GETFL) == (O_PATH | 0100000));
  DO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
  char name[40];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  const int real = DO(open(name, O_RDWR));
  DO(write(real, "real", 4));
  DO(openat(directory, "new", O_CREAT | O_WRONLY, 0600));
  DO(fchdir(directory));
  DO(access("new", F_OK));
  DO(dup(fd));
  DO(flock(fd, LOCK_SH));
}
