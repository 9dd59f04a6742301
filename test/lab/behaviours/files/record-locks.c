// Record locks belong to the process: they join and split, a child sees them in its way, and any close of the file gives them up.
// home: fork
#include "../../lab.h"

static int fd;
static int set(short type, off_t start, off_t length) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(fd, F_SETLK, &lock);
}
static void childs_view(void) {
  const pid_t child = fork();
  if (child) { SAY("child %d", ended(child)); return; }
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
  for (int i = 0; i < 4; ++i) {
    if (fcntl(fd, F_GETLK, &lock)) _exit(1);
    SAY("  %d %ld %ld %d", lock.l_type, (long)lock.l_start, (long)lock.l_len, lock.l_type == F_UNLCK || lock.l_pid == getppid());
    if (lock.l_type == F_UNLCK || !lock.l_len) break;
    lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = lock.l_start + lock.l_len, .l_len = 0};
  }
  _exit(set(F_RDLCK, 12, 1) ? errno : 0);
}

BEHAVIOUR {
  fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(set(F_WRLCK, 10, 10));
  DO(set(F_RDLCK, 20, 10));
  DO(set(F_UNLCK, 13, 2));
  AT(childs_view());
  DO(set(F_WRLCK, 0, 0));
  AT(childs_view());
  DO(set(F_WRLCK, -1, 1));
  DO(set(77, 0, 1));
  DO(close(open("file", O_RDONLY)));
  AT(childs_view());
  fd = DO(open("file", O_RDONLY));
  DO(set(F_WRLCK, 0, 1));
}
