// An attribute's value may have many pages, and comes back whole.
#include "../../lab.h"
#include <sys/xattr.h>

BEHAVIOUR {
  static char value[65536], back[65536];
  for (int i = 0; i < 3000; ++i) value[i] = (char)(i * 7);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(fsetxattr(fd, "user.large", value, 3000, 0));
  DO(fgetxattr(fd, "user.large", back, sizeof back));
  DO(memcmp(value, back, 3000));
  DO(fgetxattr(fd, "user.large", back, 2999));
  DO(syscall(SYS_fsetxattr, fd, "user.larger", value, 65537, 0));
  DO(setxattr("file", "trusted.x", "root", 4, 0));
  DO(lgetxattr("file", "trusted.x", back, 65536));
  DO(symlink("file", "link"));
  DO(lsetxattr("link", "user.x", "y", 1, 0));
  DO(lgetxattr("link", "user.large", NULL, 0));
  DO(getxattr("link", "user.large", NULL, 0));
}
