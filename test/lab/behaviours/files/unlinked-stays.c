// A file without a name lives as long as it is open.
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  char text[32] = "", name[64], link[200] = "";
  struct stat is;
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "still here", 10));
  DO(unlink("file"));
  DO(unlink("file"));
  DO(open("file", O_RDONLY));
  DO(pread(fd, text, sizeof text, 0));
  DO(fstat(fd, &is));
  SAY("%s, links %ld", text, (long)is.st_nlink);
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  AT(readlink(name, link, sizeof link - 1));
  HOLDS(strstr(link, "/file (deleted)"));
  const int again = DO(open(name, O_RDWR));
  DO(write(again, "STILL", 5));
  const pid_t child = FORK();
  if (!child) _exit(pread(fd, text, 5, 0) == 5 && !memcmp(text, "STILL", 5) ? 7 : 1);
  SAY("child %d", ended(child));
  DO(linkat(AT_FDCWD, name, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
  DO(unlink("."));
  DO(unlink("no/file"));
}
