// A view of itself is found by whatever way it is opened.
// home: open, openat, openat2
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"
#include <linux/openat2.h>

static int good(int fd) {
  char text[20] = "";
  unsigned long start = 0, end = 0;
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 10 && sscanf(text, "%lx-%lx", &start, &end) >= 1 && start > 0;
}

BEHAVIOUR {
  char name[60];
  const int directory = TRY(open("/proc/self", O_RDONLY | O_DIRECTORY));
  DO(good(openat(directory, "maps", O_RDONLY)));
  DO(good(openat(directory, "task/../smaps", O_RDONLY)));
  snprintf(name, sizeof name, "%d/maps", getpid());
  const int proc = TRY(open("/proc", O_PATH));
  DO(good(openat(proc, name, O_RDONLY)));
  struct open_how how = {.flags = O_RDONLY};
  DO(good((int)syscall(SYS_openat2, proc, "self/maps", &how, sizeof how)));
  DO(symlink("/proc/self/maps", "link"));
  DO(good(open("link", O_RDONLY)));
  const int path = TRY(open("/proc/self/maps", O_PATH));
  snprintf(name, sizeof name, "/proc/self/fd/%d", path);
  DO(good(open(name, O_RDONLY)));
  DO(close(path));
  DO(chdir("/proc/self"));
  DO(good(open("maps", O_RDONLY)));
}
