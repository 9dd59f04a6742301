// mkdir, rmdir, mknod, chmod, chown, lchown, getdents, utime, utimes, futimesat by their own numbers.
#include "../../lab.h"
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

BEHAVIOUR {
  struct stat status;
  DO(syscall(SYS_mkdir, "directory", 0750));
  DO(syscall(SYS_mkdir, "directory", 0750));
  DO(syscall(SYS_mknod, "directory/fifo", S_IFIFO | 0600, 0));
  DO(syscall(SYS_chmod, "directory/fifo", 0604));
  DO(syscall(SYS_chown, "directory/fifo", -1, -1));
  DO(syscall(SYS_lchown, "directory/absent", 0, 0));
  struct utimbuf old = {1000, 2000};
  DO(syscall(SYS_utime, "directory/fifo", &old));
  stat("directory/fifo", &status);
  SAY("%o %ld %ld", status.st_mode, status.st_atime, status.st_mtime);
  struct timeval times[2] = {{3000, 500000}, {4000, 250000}};
  DO(syscall(SYS_utimes, "directory/fifo", times));
  stat("directory/fifo", &status);
  SAY("%ld %ld", status.st_atim.tv_nsec, status.st_mtim.tv_nsec);
  const int fd = open("directory", O_RDONLY | O_DIRECTORY);
  times[1].tv_usec = 1000000;
  DO(syscall(SYS_futimesat, fd, "fifo", times));
  DO(syscall(SYS_futimesat, fd, "fifo", NULL));
  char entries[1024];
  const long n = DO(syscall(SYS_getdents, fd, entries, sizeof entries));
  int fifos = 0;
  for (long at = 0; at < n; at += *(unsigned short *)(void *)(entries + at + 16)) fifos += !strcmp(entries + at + 18, "fifo");
  SAY("fifo %d times", fifos);
  DO(syscall(SYS_getdents, fd, entries, sizeof entries));
  DO(syscall(SYS_getdents, fd, entries, 1));
  DO(syscall(SYS_rmdir, "directory"));
  DO(syscall(SYS_unlink, "directory/fifo"));
  DO(syscall(SYS_rmdir, "directory"));
}
