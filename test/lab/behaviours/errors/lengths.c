// Lengths of nothing, of more than there is, and of more than there can be.
// home: poll
#include "../../lab.h"
#include <sys/xattr.h>

BEHAVIOUR {
  static char room[8192];
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "12345", 5));
  DO(syscall(SYS_pread64, fd, room, -1L, 0L));
  DO(syscall(SYS_pwrite64, fd, room, -1L, 0L));
  DO(syscall(SYS_pread64, fd, room, INT64_MAX, 0L));
  DO(syscall(SYS_pread64, fd, room, 1L << 46, 0L) >= 0 || errno == EFAULT);
  DO(syscall(SYS_pread64, fd, room, 0L, 0L));
  DO(syscall(SYS_readlink, "file", room, 0));
  DO(syscall(SYS_getdents64, fd, room, 0));
  DO(syscall(SYS_getcwd, room, -1L) > 0);
  DO(syscall(SYS_getxattr, "file", "user.x", room, -1L));
  DO(syscall(SYS_getgroups, -1, room));
  DO(syscall(SYS_sethostname, room, -1));
  DO(syscall(SYS_sethostname, room, 65));
  DO(syscall(SYS_readv, fd, room, 2000));
  DO(syscall(SYS_poll, room, 1 << 21, 0));
  DO(syscall(SYS_getrandom, room, 0L, 0));
  DO(syscall(SYS_getrandom, room, 1, 0x100));
  DO(syscall(SYS_setgroups, 70000, room));
  DO(syscall(SYS_sched_getaffinity, 0, 1, room));
}
