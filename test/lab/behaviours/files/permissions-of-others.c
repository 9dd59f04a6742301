// Without privileges the bits of the mode are what counts; with the user's own again, they are not.
#include "../../lab.h"

BEHAVIOUR {
  DO(chmod(".", 0777));
  DO((int)umask(0));
  DO(close(open("mine", O_WRONLY | O_CREAT, 0640)));
  DO(close(open("shared", O_WRONLY | O_CREAT, 0606)));
  DO(mkdir("sticky", 01777));
  DO(close(open("sticky/file", O_WRONLY | O_CREAT, 0666)));
  DO(mkdir("closed", 0700));
  DO(setresgid(-1, 4321, -1));
  DO(setresuid(-1, 4321, -1));
  DO(open("mine", O_RDONLY));
  DO(close(open("shared", O_RDWR)));
  DO(access("mine", R_OK));
  DO(faccessat(AT_FDCWD, "mine", R_OK, AT_EACCESS));
  DO(unlink("sticky/file"));
  DO(rename("sticky/file", "sticky/other"));
  DO(open("closed/x", O_WRONLY | O_CREAT, 0600));
  DO(chmod("mine", 0666));
  DO(chown("mine", 4321, 4321));
  DO(link("mine", "second"));
  DO(mknod("device", S_IFCHR | 0600, 0x103));
  DO(truncate("mine", 0));
  DO(setresuid(-1, 0, -1));
  DO(setresgid(-1, 0, -1));
  DO(close(open("mine", O_RDONLY)));
}
