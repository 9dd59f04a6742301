// A file of O_TMPFILE has no name until it is linked; with O_EXCL it can have none.
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "", name[40];
  struct stat is;
  const int fd = DO(open(".", O_TMPFILE | O_RDWR, 0640));
  if (fd < 0) return;
  DO(write(fd, "hidden", 6));
  DO(fstat(fd, &is));
  SAY("links %ld, size %ld", (long)is.st_nlink, (long)is.st_size);
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  DO(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
  DO(fstat(fd, &is));
  SAY("links %ld", (long)is.st_nlink);
  const int again = DO(open("named", O_RDONLY));
  DO(read(again, text, sizeof text));
  SAY("%s", text);
  const int never = DO(open(".", O_TMPFILE | O_WRONLY | O_EXCL, 0600));
  snprintf(name, sizeof name, "/proc/self/fd/%d", never);
  DO(linkat(AT_FDCWD, name, AT_FDCWD, "never", AT_SYMLINK_FOLLOW));
  DO(open(".", O_TMPFILE | O_RDONLY, 0600));
}
