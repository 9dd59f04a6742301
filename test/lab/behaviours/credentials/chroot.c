// After chroot names begin at the new root, what was open stays open, and the directory that is outside stays outside.
#include "../../lab.h"

BEHAVIOUR {
  DO(mkdir("root", 0755));
  DO(close(open("root/file", O_CREAT | O_WRONLY, 0600)));
  const int outside = DO(open("/", O_RDONLY | O_DIRECTORY));
  const pid_t child = FORK();
  if (child == 0) {
    char where[4096] = "";
    DO(chroot("root"));
    DO(access("/file", F_OK));
    DO(getcwd(where, sizeof where) != NULL);
    SAY("%.13s", where);
    DO(chdir("/"));
    DO(getcwd(where, sizeof where) != NULL);
    SAY("%s", where);
    DO(chdir(".."));
    DO(access("file", F_OK));
    DO(access("/proc/self", F_OK));
    DO(execl("/bin/sh", "sh", NULL));
    const pid_t grandchild = FORK();
    if (grandchild == 0) _exit(access("/file", F_OK) ? 1 : 8);
    SAY("grandchild %d", ended(grandchild));
    DO(fchdir(outside));
    DO(access("proc/self", F_OK));
    DO(chroot("/nowhere"));
    DO(chroot("/file"));
    _exit(3);
  }
  SAY("child %d", ended(child));
  DO(access("/file", F_OK));
}
