// New files have the mode asked for without the bits of the umask, which children have too.
// home: fork
#include "../../lab.h"

static int mode_of(const char *name) {
  struct stat is;
  return stat(name, &is) ? -1 : (int)(is.st_mode & 07777);
}

BEHAVIOUR {
  DO((int)umask(027));
  DO(close(DO(open("file", O_WRONLY | O_CREAT, 07666))));
  SAY("%o", mode_of("file"));
  DO(mkdir("d", 0777));
  SAY("%o", mode_of("d"));
  DO(mknod("fifo", S_IFIFO | 0666, 0));
  SAY("%o", mode_of("fifo"));
  const pid_t child = FORK();
  if (!child) {
    if (umask(0) != 027) _exit(1);
    _exit(close(open("childs", O_WRONLY | O_CREAT, 0666)) ? 2 : 0);
  }
  SAY("child %d", ended(child));
  SAY("%o", mode_of("childs"));
  DO((int)umask(077777));
  DO((int)umask(0));
  DO(chmod("file", 06755));
  DO(chown("file", 12, 13));
  SAY("%o", mode_of("file"));
  DO(fchmodat(AT_FDCWD, "missing", 0600, 0));
  DO(chmod("d", 03777));
  SAY("%o", mode_of("d"));
  DO(unlink("fifo"));
}
