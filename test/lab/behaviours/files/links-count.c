// Links are names of the same file, counted; directories have none of their own, and links across a missing name fail.
#include "../../lab.h"

BEHAVIOUR {
  struct stat is, other;
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(link("file", "second"));
  DO(link("file", "second"));
  DO(stat("second", &other));
  DO(fstat(fd, &is));
  SAY("links %ld, same %d", (long)is.st_nlink, is.st_ino == other.st_ino && is.st_dev == other.st_dev);
  DO(unlink("file"));
  DO(fstat(fd, &is));
  SAY("links %ld", (long)is.st_nlink);
  DO(symlink("second", "soft"));
  DO(link("soft", "hard of soft"));
  DO(lstat("hard of soft", &is));
  SAY("a link %d", S_ISLNK(is.st_mode));
  DO(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW));
  DO(linkat(fd, "", AT_FDCWD, "by descriptor", AT_EMPTY_PATH));
  DO(fstat(fd, &is));
  SAY("links %ld", (long)is.st_nlink);
  DO(link(".", "dot"));
  DO(link("missing", "name"));
  DO(link("second", "no/name"));
  DO(linkat(AT_FDCWD, "soft", AT_FDCWD, "x", 0x8000));
}
