// Calls with a directory's descriptor take relative names from there; absolute ones do not look at it.
#include "../../lab.h"

BEHAVIOUR {
  char text[16] = "";
  struct stat is;
  DO(mkdir("d", 0700));
  const int d = DO(open("d", O_RDONLY | O_DIRECTORY)), file = DO(openat(d, "file", O_RDWR | O_CREAT, 0600));
  DO(mkdirat(d, "sub", 0711));
  DO(symlinkat("file", d, "link"));
  DO(readlinkat(d, "link", text, sizeof text));
  SAY("%s", text);
  DO(fstatat(d, "link", &is, 0));
  SAY("%o", is.st_mode);
  DO(fstatat(d, "link", &is, AT_SYMLINK_NOFOLLOW));
  SAY("%o", is.st_mode);
  DO(mknodat(d, "fifo", S_IFIFO | 0600, 0));
  DO(linkat(d, "file", AT_FDCWD, "outside", 0));
  DO(renameat(d, "fifo", AT_FDCWD, "fifo"));
  DO(openat(file, "x", O_RDONLY));
  DO(openat(1000, "x", O_RDONLY));
  DO(openat(-5, "/dev/null", O_RDONLY) >= 0);
  DO(unlinkat(d, "sub", 0));
  DO(unlinkat(d, "sub", AT_REMOVEDIR));
  DO(unlinkat(d, "file", AT_REMOVEDIR));
  DO(unlinkat(d, "file", 0x4000));
  DO(fchmodat(d, "file", 0604, 0));
  DO(fchownat(d, "link", 1, 1, AT_SYMLINK_NOFOLLOW));
  DO(fchmodat(d, "link", 0777, AT_SYMLINK_NOFOLLOW));
  DO(unlink("fifo"));
}
