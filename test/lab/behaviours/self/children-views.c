// A child and its parent look at each other in /proc, and at themselves.
// home: open, openat, fork
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

static int words(const char *name) {
  char text[400] = "";
  const int fd = open(name, O_RDONLY);
  const ssize_t n = read(fd, text, sizeof text);
  close(fd);
  return n == (ssize_t)strlen(lab_argv[0]) + 1 && !strcmp(text, lab_argv[0]);
}

BEHAVIOUR {
  char name[60];
  DO(words("/proc/self/cmdline"));
  const pid_t child = FORK();
  if (!child) {
    lab_point("in the child");
    _exit(words("/proc/self/cmdline") * 3);
  }
  SAY("child %d", ended(child));
  snprintf(name, sizeof name, "/proc/%d/cmdline", getpid());
  DO(words(name));
  const pid_t other = FORK();
  if (!other) for (;;) pause();
  snprintf(name, sizeof name, "/proc/%d/stat", other);
  DO(access(name, F_OK));
  const int stat = open(name, O_RDONLY);
  DO(kill(other, SIGKILL));
  SAY("child %d", ended(other));
  char text[10];
  DO(read(stat, text, sizeof text));
  DO(access(name, F_OK));
}
