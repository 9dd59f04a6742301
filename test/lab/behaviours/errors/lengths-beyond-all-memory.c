// A buffer that would go beyond all memory that there can be is a bad pointer, however little would have been read or written.
#include "../../lab.h"

static char bytes[8192];

BEHAVIOUR {
  int file = open("short", O_RDWR | O_CREAT, 0600), ends[2];
  if (write(file, bytes, sizeof bytes) != sizeof bytes) SAY("no room");
  close(file);
  file = open("short", O_RDONLY);
  DO(read(file, bytes, 10));
  DO(syscall(SYS_read, file, bytes, -1L));
  DO(syscall(SYS_read, file, bytes, 1L << 62));
  DO(syscall(SYS_pread64, file, bytes, -1L, 0L));
  DO(syscall(SYS_read, -1, bytes, -1L));
  DO(lseek(file, 0, SEEK_CUR));
  DO(pipe(ends));
  DO(syscall(SYS_write, ends[1], bytes, -1L));
  DO(syscall(SYS_write, ends[1], bytes, 1L << 50));
  DO(write(ends[1], bytes, 10));
  DO(syscall(SYS_read, ends[0], bytes, -1L));
  DO(read(ends[0], bytes, 100));
  close(file);
  file = open("written", O_WRONLY | O_CREAT, 0600);
  DO(write(file, bytes, 10));
  DO(syscall(SYS_write, file, bytes, -1L));
  DO(fsync(file));
  DO(lseek(file, 0, SEEK_END));
}
