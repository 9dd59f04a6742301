// A call that is given bytes of a mapping beyond the end of its file fails, without a signal.
#include "../../lab.h"
#include <sys/uio.h>

static volatile sig_atomic_t caught;
static void handler(int signal UNUSED) { ++caught; _exit(99); }

BEHAVIOUR {
  signal(SIGBUS, handler);
  signal(SIGSEGV, handler);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600)), out = DO(open("out", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "some bytes", 10));
  char *map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  DO(write(out, map + 8192, 10));
  DO(write(out, map + 4090, 10));
  DO(open(map + 8192, O_RDONLY));
  DO(pread(fd, map + 8192, 10, 0));
  DO(pread(fd, map + 4093, 10, 0));
  DO(stat("file", (struct stat *)(map + 8192)));
  DO(write(out, map, 10));
  DO(lseek(out, 0, SEEK_END));
  DO(ftruncate(fd, 20000));
  DO(write(out, map + 8192, 10));
  SAY("%d", caught);
}
