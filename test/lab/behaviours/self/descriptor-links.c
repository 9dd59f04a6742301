// /proc/self/fd/N names what is open, opens it again with a position of its own, and is gone after close.
#include "../../lab.h"

static char name[40], target[300];
static const char *of(int fd) {
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  memset(target, 0, sizeof target);
  return readlink(name, target, sizeof target - 1) < 0 ? lab_error(errno) : target;
}

BEHAVIOUR {
  char text[8] = "";
  int ends[2];
  struct stat is;
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "12345", 5));
  DO(strcmp(strrchr(of(fd), '/'), "/file"));
  const int again = DO(open(name, O_RDONLY));
  DO(read(again, text, 3));
  SAY("%s", text);
  DO(rename("file", "renamed"));
  AT(SAY("%s", strrchr(of(fd), '/')));
  DO(pipe(ends));
  DO(strncmp(of(ends[0]), "pipe:[", 6));
  const int other = DO(open(name, O_WRONLY));
  DO(write(other, "back", 4));
  DO(read(ends[0], text, 4));
  DO(strncmp(of(socket(AF_UNIX, SOCK_STREAM, 0)), "socket:[", 8));
  DO(open(name, O_RDONLY));
  DO(lstat(name, &is));
  SAY("%o", is.st_mode & S_IFMT);
  DO(close(fd));
  AT(SAY("%s", of(fd)));
  DO(access("/proc/self/fd/700", F_OK));
  DO(open("/dev/fd/0", O_PATH) > 0);
}
