// A thousand open files are all there after a move, each at its position.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 4096 < limit.rlim_max ? 4096 : limit.rlim_max;
  DO(setrlimit(RLIMIT_NOFILE, &limit));
  int fd = open("file", O_RDWR | O_CREAT, 0600), bad = 0;
  if (ftruncate(fd, 1 << 20)) abort();
  for (int i = 0; i < 800; ++i) {
    const int own = open("file", O_RDONLY);
    bad += dup2(own, 1100 + i) != 1100 + i;
    close(own);
    lseek(1100 + i, i * 3, SEEK_SET);
  }
  SAY("%d bad", bad);
  AT(for (int i = 0; i < 800; i += 40) bad += lseek(1100 + i, 0, SEEK_CUR) != i * 3);
  AT(for (int i = 0; i < 800; i += 2) bad += close(1100 + i));
  AT(for (int i = 1; i < 800; i += 20) bad += fcntl(1100 + i, F_GETFD) != 0 || fcntl(1101 + i, F_GETFD) != -1);
  SAY("%d bad", bad);
}
