// The calls on names and descriptors that libraries do not use any more: open, creat, stat, lstat, access, link, symlink, readlink, rename, unlink.
#include "../../lab.h"
#include <sys/stat.h>

BEHAVIOUR {
  char text[32] = "";
  struct stat status;
  const long fd = DO(syscall(SYS_creat, "made", 0640));
  DO(syscall(SYS_write, fd, "words", 5));
  DO(syscall(SYS_close, fd));
  DO(syscall(SYS_open, "made", O_RDONLY | O_EXCL | O_CREAT, 0600));
  DO(syscall(SYS_access, "made", W_OK));
  DO(syscall(SYS_access, "absent", F_OK));
  DO(syscall(SYS_stat, "made", &status));
  SAY("%o %ld", status.st_mode, (long)status.st_size);
  DO(syscall(SYS_link, "made", "second"));
  DO(syscall(SYS_symlink, "made", "symbolic"));
  DO(syscall(SYS_lstat, "symbolic", &status));
  SAY("%o %ld", status.st_mode & S_IFMT, (long)status.st_size);
  DO(syscall(SYS_readlink, "symbolic", text, sizeof text));
  SAY("%s", text);
  DO(syscall(SYS_rename, "second", "third"));
  DO(syscall(SYS_unlink, "third"));
  DO(syscall(SYS_unlink, "third"));
  DO(syscall(SYS_stat, (char *)8, &status));
}
