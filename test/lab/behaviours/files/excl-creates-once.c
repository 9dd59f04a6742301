// O_EXCL creates a file once, and not through a symbolic link; without it the link's target is made.
#include "../../lab.h"

BEHAVIOUR {
  const int fd = DO(open("file", O_WRONLY | O_CREAT | O_EXCL, 0600));
  DO(open("file", O_WRONLY | O_CREAT | O_EXCL, 0600));
  DO(symlink("target", "link"));
  DO(open("link", O_RDWR | O_CREAT | O_EXCL, 0600));
  DO(access("target", F_OK));
  DO(open("link", O_RDWR));
  const int through = DO(open("link", O_RDWR | O_CREAT, 0600));
  DO(access("target", F_OK));
  DO(mkdir("directory", 0700));
  DO(open("directory", O_RDONLY | O_CREAT | O_EXCL, 0600));
  DO(open("directory", O_RDONLY | O_CREAT, 0600));
  DO(creat("file", 0));
  close(fd);
  close(through);
}
