// The sync calls say what can be synced.
#include "../../lab.h"

BEHAVIOUR {
  int ends[2];
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600)), directory = DO(open(".", O_RDONLY));
  DO(pipe(ends));
  DO(write(fd, "x", 1));
  DO(fsync(fd));
  DO(fdatasync(fd));
  DO(fsync(directory));
  DO(fsync(ends[0]));
  DO(fdatasync(-1));
  DO(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
  DO(sync_file_range(fd, -1, 0, 0));
  DO(sync_file_range(fd, 0, 0, 0x100));
  DO(sync_file_range(ends[1], 0, 0, 0));
  GIVES(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
  GIVES(posix_fadvise(fd, 0, 0, 77));
  GIVES(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL));
  DO(readahead(fd, 0, 100));
  DO(readahead(ends[0], 0, 100));
  DO(syncfs(-1));
}
