// After chroot the names begin elsewhere, there is no /proc, and a descriptor from before leads out.
#include "../../lab.h"

BEHAVIOUR {
  char text[100] = "";
  DO(mkdir("root", 0700));
  DO(mkdir("root/in", 0700));
  DO(close(open("outside", O_CREAT | O_WRONLY, 0600)));
  const int out = DO(open(".", O_RDONLY));
  DO(chroot("root"));
  DO(access("/in", F_OK));
  DO(access("/proc", F_OK));
  DO(access("outside", F_OK));
  DO(getcwd(text, sizeof text) == NULL);
  DO(chdir("/in"));
  DO(getcwd(text, sizeof text) == text);
  SAY("%s", text);
  DO(access("../../../in", F_OK));
  DO(close(open("/file", O_CREAT | O_WRONLY, 0600)));
  DO(faccessat(out, "root/file", F_OK, 0));
  DO(chroot("missing"));
  DO(chroot("/file"));
  DO(fchdir(out));
  DO(access("outside", F_OK));
}
