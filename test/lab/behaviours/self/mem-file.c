// /proc/self/mem is the program's memory, to read and to write; nothing is where nothing is mapped.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

static volatile char text[] = "in memory";

BEHAVIOUR {
  char copy[16] = "";
  const int fd = DO(open("/proc/self/mem", O_RDWR));
  DO(pread(fd, copy, 9, (off_t)(uintptr_t)text));
  SAY("%s", copy);
  text[0] = 'I';
  DO(pread(fd, copy, 2, (off_t)(uintptr_t)text));
  SAY("%s", copy);
  DO(pwrite(fd, "MEM", 3, (off_t)(uintptr_t)text + 3));
  SAY("%s", (char *)text);
  DO(pread(fd, copy, 2, 4096));
  DO(close(fd));
  const int again = DO(openat(AT_FDCWD, "/proc/thread-self/mem", O_RDONLY));
  DO(pread(again, copy, 9, (off_t)(uintptr_t)text));
  SAY("%s", copy);
  DO(close(again));
}
