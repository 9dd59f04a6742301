// A program that holds /proc/self/statm open, or status, and reads it from its beginning again sees what is true then.
#include "../../lab.h"

static long first_number(int fd, int by_lseek) {
  char text[200] = "";
  if (by_lseek) lseek(fd, 0, SEEK_SET);
  const ssize_t n = by_lseek ? read(fd, text, sizeof text - 1) : pread(fd, text, sizeof text - 1, 0);
  return n > 0 ? strtol(text, NULL, 10) : -1;
}

BEHAVIOUR {
  int fd = -1, status = -1;
  static char room[16384];
  AT(fd = open("/proc/self/statm", O_RDONLY));
  AT(status = open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  long before = 0, after = 0;
  AT(before = first_number(fd, 1));
  for (int i = 1; i <= 4; ++i) {
    AT(mmap(NULL, (size_t)i << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    AT(after = first_number(fd, i % 2));
    SAY("%ld pages more", after - before);
    before = after;
    AT(lseek(status, 0, SEEK_SET));
    const ssize_t n = read(status, room, 30), m = read(status, room + n, sizeof room - 1 - (size_t)n);
    room[n + m] = 0;
    HOLDS(n == 30 && strtol(strstr(room, "\nVmSize:") + 8, NULL, 10) == after * 4);
  }
  DO(close(fd));
  DO(close(status));
  HOLDS(getpid() > 0);
}
