// Extended attributes: made, replaced, listed, removed; with no room the length is told.
#include "../../lab.h"
#include <sys/xattr.h>

BEHAVIOUR {
  char text[64];
  memset(text, '#', sizeof text);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(setxattr("file", "user.one", "value", 5, XATTR_CREATE));
  DO(setxattr("file", "user.one", "other", 5, XATTR_CREATE));
  DO(fsetxattr(fd, "user.two", "2", 1, XATTR_REPLACE));
  DO(fsetxattr(fd, "user.two", "", 0, 0));
  DO(getxattr("file", "user.one", NULL, 0));
  DO(getxattr("file", "user.one", text, 3));
  DO(text[0] == '#');
  DO(getxattr("file", "user.one", text, sizeof text));
  SAY("%.6s", text);
  DO(fgetxattr(fd, "user.two", text, sizeof text));
  DO(fgetxattr(fd, "user.three", text, sizeof text));
  const ssize_t size = TRY(flistxattr(fd, NULL, 0));
  DO(flistxattr(fd, text, 4));
  DO(flistxattr(fd, text, sizeof text) == size);
  DO(memmem(text, (size_t)size, "user.two", 9) != NULL);
  DO(removexattr("file", "user.one"));
  DO(removexattr("file", "user.one"));
  DO(setxattr("file", "nonsense", "x", 1, 0));
  DO(setxattr("file", "user.", "x", 1, 0));
  DO(setxattr("file", "user.x", "x", 1, 8));
  DO(syscall(SYS_setxattr, "file", "user.big", text, 1 << 20, 0));
  DO(setxattr("missing", "user.x", "x", 1, 0));
}
