// A system call may fill memory that nothing has touched: just mapped, just grown, a fresh page of a file, zero pages.
#include "../../lab.h"
#include <sys/random.h>
#include <sys/uio.h>

BEHAVIOUR {
  const int fd = open("file", O_RDWR | O_CREAT, 0600), zero = open("/dev/zero", O_RDONLY);
  if (ftruncate(fd, 100 * 4096)) abort();
  DO(pwrite(fd, "text", 4, 50 * 4096));
  char *at = TRY(mmap(NULL, 300 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  DO(pread(fd, at, 100 * 4096, 0));
  SAY("%s", at + 50 * 4096);
  char *map = TRY(mmap(NULL, 100 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  DO(read(zero, map + 50 * 4096 + 1, 10));
  SAY("%s", map + 50 * 4096);
  DO(pread(fd, map + 99 * 4096, 4096, 50 * 4096));
  SAY("%s", map + 99 * 4096);
  DO(getrandom(at + 200 * 4096, 4096, 0));
  HOLDS(memcmp(at + 200 * 4096, at + 201 * 4096, 16) != 0);
  char *end = sbrk(8192);
  struct iovec parts[2] = {{end, 4096}, {at + 280 * 4096 - 2, 4}};
  DO(preadv(fd, parts, 2, 49 * 4096));
  SAY("%.4s", at + 280 * 4096 - 2);
}
