// A full file system: the write is cut short, then fails with ENOSPC; /dev/full is always so.
// home: unshare
#include "../../lab.h"
#include <sched.h>
#include <sys/mount.h>

BEHAVIOUR {
  static char block[40000];
  const int full = DO(open("/dev/full", O_RDWR));
  DO(write(full, "x", 1));
  DO(read(full, block, 10));
  DO(mkdir("small", 0700));
  DO(unshare(CLONE_NEWNS));
  DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
  DO(mount("none", "small", "tmpfs", 0, "size=64k"));
  const int fd = DO(open("small/file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, block, sizeof block));
  DO(write(fd, block, sizeof block));
  DO(write(fd, block, sizeof block));
  DO(pwrite(fd, block, 10, 0));
  DO(fallocate(fd, 0, 0, 100000));
  DO(ftruncate(fd, 1000));
  DO(write(fd, block, 1));
  DO(open("small", O_RDONLY));
  DO(umount("small"));
  DO(umount2("small", MNT_DETACH));
}
