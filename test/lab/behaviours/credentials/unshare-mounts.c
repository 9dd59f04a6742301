// A program in an own mount namespace mounts what it likes, also over what it uses, and goes on.
#include "../../lab.h"
#include <sched.h>
#include <sys/mount.h>

BEHAVIOUR {
  DO(mkdir("there", 0755));
  DO(close(open("there/below", O_CREAT | O_WRONLY, 0600)));
  const pid_t child = FORK();
  if (child == 0) {
    DO(unshare(CLONE_NEWNS));
    DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    DO(mount("none", "there", "tmpfs", 0, "size=1m"));
    DO(access("there/below", F_OK));
    DO(close(open("there/above", O_CREAT | O_WRONLY, 0600)));
    DO(mount("none", "/proc", "tmpfs", 0, NULL));
    DO(access("/proc/self", F_OK));
    DO(umount2("/proc", MNT_DETACH));
    DO(mount("none", "there", "no-such-type", 0, NULL));
    DO(umount2("there", 0));
    DO(umount2("there", 0));
    DO(access("there/below", F_OK));
    _exit(3);
  }
  SAY("child %d", ended(child));
  DO(access("there/above", F_OK));
}
