// In a directory that was removed there is no name for it, nothing can be made, and one can leave.
#include "../../lab.h"

BEHAVIOUR {
  char text[200] = "";
  struct stat is;
  DO(mkdir("gone", 0700));
  DO(chdir("gone"));
  DO(rmdir("../gone"));
  DO(getcwd(text, sizeof text) == NULL);
  DO(open("file", O_WRONLY | O_CREAT, 0600));
  DO(mkdir("d", 0700));
  DO(stat(".", &is));
  SAY("links %ld", (long)is.st_nlink);
  DO(syscall(SYS_getcwd, text, sizeof text) > 0);
  AT(readlink("/proc/self/cwd", text, sizeof text - 1));
  HOLDS(strstr(text, "/gone (deleted)"));
  const int here = DO(open(".", O_RDONLY));
  DO(rmdir("."));
  DO(chdir(".."));
  DO(getcwd(text, sizeof text) != NULL);
  DO(fchdir(here));
  DO(access(".", F_OK));
  DO(rename(".", "x"));
}
