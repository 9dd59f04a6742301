// RLIMIT_NOFILE bounds new descriptors, not those there are: EMFILE, EINVAL or EBADF, and all works again when it is raised.
#include "../../lab.h"
#include <poll.h>
#include <sys/resource.h>

BEHAVIOUR {
  struct rlimit limit = {20, 4096};
  int ends[2] = {-7, -7}, last = 0;
  DO(dup2(1, 50));
  DO(setrlimit(RLIMIT_NOFILE, &limit));
  DO(write(50, "", 0));
  DO(dup2(1, 20));
  DO(fcntl(1, F_DUPFD, 20));
  for (int fd; (fd = dup(1)) >= 0;) last = fd;
  SAY("last %d", last);
  DO(open("/dev/null", O_RDONLY));
  DO(pipe(ends));
  SAY("%d", ends[0]);
  DO(socket(AF_UNIX, SOCK_STREAM, 0));
  struct pollfd set[21] = {0};
  for (int i = 0; i < 21; ++i) set[i].fd = -1;
  DO(poll(set, 21, 0));
  DO(close(7));
  DO(open("/dev/null", O_RDONLY));
  limit.rlim_cur = 4096;
  DO(setrlimit(RLIMIT_NOFILE, &limit));
  DO(open("/dev/null", O_RDONLY));
  limit.rlim_cur = 4097;
  DO(setrlimit(RLIMIT_NOFILE, &limit));
  DO(dup2(1, 4095));
}
