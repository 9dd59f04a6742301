// A child has its parent's shared mappings; what it writes to the file by itself, both see. It may open it without waiting.
// refused: it maps a file shared that is open for writing
// home: open, openat
#include "../../lab.h"

BEHAVIOUR {
  const int made = open("file", O_RDWR | O_CREAT, 0600);
  if (pwrite(made, "before", 6, 100) != 6) abort();
  close(made);
  const int fd = open("file", O_RDONLY);
  const char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  AT(SAY("%.6s", map + 100));
  const pid_t child = FORK();
  if (!child) {
    AT(SAY("%.6s", map + 100));
    const int own = DO(open("file", O_WRONLY));
    DO(pwrite(own, "inside", 6, 100));
    SAY("%.6s", map + 100);
    _exit(close(own));
  }
  SAY("%d", ended(child));
  SAY("%.6s", map + 100);
  const int own = TRY(open("file", O_WRONLY | O_NONBLOCK));
  DO(pwrite(own, "behind", 6, 100));
  SAY("%.6s", map + 100);
}
