// A pointer to nothing is EFAULT, and the file is as it was; a descriptor that is none comes first.
#include "../../lab.h"

static char *bad;

BEHAVIOUR {
  char text[8] = "";
  bad = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "12345", 5));
  DO(write(fd, bad, 5));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(pread(fd, bad, 5, 0));
  DO(pread(fd, bad, 5, 5));
  DO(read(fd, bad, 5));
  DO(read(fd, bad, 0));
  DO(write(fd, NULL, 0));
  DO(read(-1, bad, 5));
  DO(write(-1, bad, 5));
  DO(open(bad, O_RDONLY));
  DO(fstat(fd, (struct stat *)bad));
  DO(fstat(-1, (struct stat *)bad));
  DO(stat("missing", (struct stat *)bad));
  DO(syscall(SYS_rename, "file", bad));
  DO(syscall(SYS_getcwd, bad, 100));
  DO(syscall(SYS_readlink, "file", bad, 10));
  DO(pread(fd, text, 5, 0));
  SAY("%s", text);
  DO(read(fd, (char *)-4096, 5));
  DO(write(fd, (char *)-4096, 5));
}
