// /proc/self/pagemap and smaps_rollup show which pages are there.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

static int present(const char *page) {
  uint64_t entry = 0;
  const int fd = open("/proc/self/pagemap", O_RDONLY);
  const ssize_t n = pread(fd, &entry, 8, (off_t)((uintptr_t)page / 4096 * 8));
  close(fd);
  return n == 8 ? (int)(entry >> 63) : -1;
}

BEHAVIOUR {
  char *pages = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pages[4096] = 1;
  DO(present(pages + 4096));
  DO(present(pages + 2 * 4096));
  pages[2 * 4096] = 1;
  DO(present(pages + 2 * 4096));
  DO(madvise(pages + 4096, 4096, MADV_DONTNEED));
  DO(present(pages + 4096));
  char text[2000] = "";
  long kilobytes = 0;
  memset(malloc(20 << 20), 1, 20 << 20);
  const int fd = DO(open("/proc/self/smaps_rollup", O_RDONLY));
  DO(read(fd, text, sizeof text - 1) > 0);
  sscanf(strstr(text, "Rss:"), "Rss: %ld", &kilobytes);
  SAY("%d", kilobytes > 20 << 10);
  close(fd);
}
