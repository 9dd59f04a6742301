// statx tells what it was asked for, and which of it is true.
#include "../../lab.h"

BEHAVIOUR {
  struct statx is;
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0640));
  DO(write(fd, "12345", 5));
  DO(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &is));
  SAY("%o %d %d %ld %x", is.stx_mode, is.stx_uid, is.stx_nlink, (long)is.stx_size, is.stx_mask & STATX_BASIC_STATS);
  DO(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &is));
  SAY("%ld", (long)is.stx_size);
  DO(statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_ALL, &is));
  DO(statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_ALL, &is));
  memset(&is, 0x55, sizeof is);
  DO(statx(fd, "", 0, STATX_ALL, &is));
  DO(statx(fd, "", AT_EMPTY_PATH, 0x80000000, &is));
  DO(statx(-1, "", AT_EMPTY_PATH, STATX_ALL, &is));
  DO(statx(AT_FDCWD, "missing", 0, STATX_ALL, &is));
  DO(is.stx_mode == 0x5555 && is.stx_mask == 0x55555555);
  DO(symlink("nowhere", "link"));
  DO(statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_SIZE, &is));
  SAY("%ld", (long)is.stx_size);
}
