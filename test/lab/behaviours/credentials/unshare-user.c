// In an own user namespace a program is nobody until it is mapped, then what it is mapped to, with all capabilities there.
// home: unshare
#include "../../lab.h"
#include <grp.h>
#include <sched.h>

static int put(const char *file, const char *text) {
  const int fd = open(file, O_WRONLY);
  const ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
  const int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return (int)n;
}

BEHAVIOUR {
  const pid_t child = FORK();
  if (child == 0) {
    DO(unshare(CLONE_NEWUSER));
    DO((int)getuid() == 65534);
    DO(setuid(0));
    DO(put("/proc/self/setgroups", "deny"));
    DO(put("/proc/self/uid_map", "7 0 1"));
    DO(put("/proc/self/gid_map", "8 0 1"));
    DO(put("/proc/self/uid_map", "7 0 1"));
    DO((int)getuid());
    DO((int)getgid());
    DO(unshare(CLONE_NEWUTS));
    DO(sethostname("inside", 6));
    DO(setgroups(0, NULL));
    const pid_t grandchild = FORK();
    if (grandchild == 0) _exit((int)geteuid());
    SAY("grandchild %d", ended(grandchild));
    _exit(3);
  }
  SAY("child %d", ended(child));
}
