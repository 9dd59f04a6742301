// renameat2 can refuse to replace, and can exchange two names.
#include "../../lab.h"

BEHAVIOUR {
  struct stat is;
  DO(close(open("a", O_WRONLY | O_CREAT, 0600)));
  DO(mkdir("d", 0700));
  DO(renameat2(AT_FDCWD, "a", AT_FDCWD, "d", RENAME_NOREPLACE));
  DO(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
  DO(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE));
  DO(stat("b", &is));
  SAY("b is a directory: %d", S_ISDIR(is.st_mode));
  DO(renameat2(AT_FDCWD, "b", AT_FDCWD, "missing", RENAME_EXCHANGE));
  DO(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE | RENAME_NOREPLACE));
  DO(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", 0x100));
  const int b = DO(open("b", O_RDONLY | O_DIRECTORY));
  DO(renameat(AT_FDCWD, "d", b, "inside"));
  DO(faccessat(b, "inside", F_OK, 0));
  DO(renameat(b, "inside", -1, "x"));
  DO(renameat(b, "inside", AT_FDCWD, "out"));
}
