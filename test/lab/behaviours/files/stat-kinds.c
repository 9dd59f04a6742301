// stat tells each kind of file, and what it is called; what fails leaves the structure alone.
#include "../../lab.h"
#include <sys/sysmacros.h>

BEHAVIOUR {
  struct stat is;
  int ends[2];
  DO(mkfifo("fifo", 0600));
  DO(mknod("device", S_IFCHR | 0600, makedev(1, 3)));
  DO(symlink("1234567", "link"));
  DO(close(socket(AF_UNIX, SOCK_STREAM, 0)));
  DO(stat("fifo", &is));
  SAY("%o", is.st_mode);
  DO(stat("device", &is));
  SAY("%o %x", is.st_mode, (unsigned)is.st_rdev);
  DO(lstat("link", &is));
  SAY("%o %ld", is.st_mode, (long)is.st_size);
  memset(&is, 0x55, sizeof is);
  DO(stat("link", &is));
  DO(fstat(-1, &is));
  DO(((unsigned char *)&is)[0] == 0x55 && ((unsigned char *)&is)[sizeof is - 1] == 0x55);
  DO(pipe(ends));
  DO(fstat(ends[0], &is));
  SAY("%o", is.st_mode);
  DO(fstatat(ends[0], "", &is, AT_EMPTY_PATH));
  DO(fstatat(ends[0], "x", &is, 0));
  DO(fstatat(AT_FDCWD, "fifo", &is, 0x10));
  DO(stat("fifo/x", &is));
  const int null = DO(open("device", O_RDWR));
  DO(write(null, "gone", 4));
  DO(read(null, &is, 4));
  DO(unlink("device"));
  DO(unlink("fifo"));
}
