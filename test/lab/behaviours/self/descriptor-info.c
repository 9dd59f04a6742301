// /proc/self/fdinfo/N tells position and flags.
#include "../../lab.h"
#include <sys/eventfd.h>

static long value(int fd, const char *key, int base) {
  char name[40], text[1000] = "";
  snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
  const int info = open(name, O_RDONLY);
  if (info < 0 || read(info, text, sizeof text - 1) < 0) return -9;
  close(info);
  const char *at = strstr(text, key);
  return at ? strtol(at + strlen(key), NULL, base) : -8;
}

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)), counter = DO(eventfd(5, 0));
  DO(write(fd, "12345", 5));
  DO(value(fd, "pos:", 10));
  DO((value(fd, "flags:", 8) & (O_APPEND | O_CLOEXEC | O_RDWR)) == (O_APPEND | O_CLOEXEC | O_RDWR));
  DO(lseek(fd, 100, SEEK_SET));
  DO(value(fd, "pos:", 10));
  DO(value(counter, "eventfd-count:", 16));
  DO(write(counter, &(uint64_t){3}, 8));
  DO(value(counter, "eventfd-count:", 16));
  DO(value(800, "pos:", 10));
}
