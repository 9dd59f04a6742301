// A new descriptor has the lowest number that is free; F_DUPFD and dup2 ask for others; RLIMIT_NOFILE is the end.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  for (int i = 0; i < 5; ++i) if (open("/dev/null", O_RDONLY) != 3 + i) abort();
  DO(close(4));
  DO(close(6));
  DO(open("/dev/null", O_RDONLY));
  DO(dup(0));
  DO(fcntl(0, F_DUPFD, 100));
  DO(fcntl(0, F_DUPFD_CLOEXEC, 100));
  DO(fcntl(101, F_GETFD));
  DO(dup2(3, 50));
  DO(dup2(3, 3));
  DO(dup2(99, 3));
  DO(dup3(3, 3, 0));
  DO(dup3(3, 51, O_CLOEXEC));
  DO(dup3(3, 51, 0x10));
  DO(setrlimit(RLIMIT_NOFILE, &(struct rlimit){60, 4096}));
  DO(dup2(3, 60));
  DO(fcntl(0, F_DUPFD, 60));
  int count = 0;
  while (dup(0) >= 0) ++count;
  SAY("%d more, %s", count, lab_error(errno));
  DO(open("/dev/null", O_RDONLY));
  DO(close(7));
  DO(open("/dev/null", O_RDONLY));
  DO(close(100));
}
