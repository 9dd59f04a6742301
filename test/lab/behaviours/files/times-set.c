// utimensat sets both times to the nanosecond, to now, or leaves one as it is.
#include "../../lab.h"
#include <sys/time.h>
#include <utime.h>

static void say(const char *name) {
  struct stat is;
  if (lstat(name, &is)) abort();
  SAY("%ld.%09ld %ld.%09ld", (long)is.st_atim.tv_sec, is.st_atim.tv_nsec, (long)is.st_mtim.tv_sec, is.st_mtim.tv_nsec);
}

BEHAVIOUR {
  struct timespec t[2] = {{1000, 123456789}, {2000, 987654321}};
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(utimensat(AT_FDCWD, "file", t, 0));
  say("file");
  t[0].tv_nsec = UTIME_OMIT, t[1] = (struct timespec){3000, 0};
  DO(futimens(fd, t));
  say("file");
  t[1].tv_nsec = UTIME_OMIT;
  DO(utimensat(AT_FDCWD, "missing", t, 0));
  struct stat is;
  t[1].tv_nsec = UTIME_NOW;
  DO(futimens(fd, t));
  DO(fstat(fd, &is));
  DO(labs(is.st_mtime - time(NULL)) < 60 && is.st_atime == 1000);
  t[0].tv_nsec = 1000000000;
  DO(futimens(fd, t));
  DO(symlink("file", "link"));
  t[0] = (struct timespec){7, 7}, t[1] = (struct timespec){8, 8};
  DO(utimensat(AT_FDCWD, "link", t, AT_SYMLINK_NOFOLLOW));
  say("link");
  DO(utime("file", &(struct utimbuf){11, 12}));
  say("file");
  DO(utimes("file", (struct timeval[]){{5, 6}, {7, 1000000}}));
  DO(utimensat(AT_FDCWD, "file", t, 0x8000));
}
