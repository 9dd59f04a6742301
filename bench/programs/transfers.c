// read() and write().  transfers FILE: a file of 16 MiB there, and a pipe.
// Orders: read|write file|pipe SIZE COUNT.  Answer: seconds per call.
#include "worker.h"

#include <fcntl.h>

enum { kFile = 16 << 20, kMost = 1 << 20 };
static char *buffer;
static int file, ends[2];

static void whole(ssize_t did, size_t size) {
  if (did == (ssize_t)size) return;
  fprintf(stderr, "a call moved %zd of %zu bytes\n", did, size);
  exit(1);
}

static double timed_read(int fd, size_t size) {
  const double begin = now();
  whole(read(fd, buffer, size), size);
  return now() - begin;
}

static double timed_write(int fd, size_t size) {
  const double begin = now();
  whole(write(fd, buffer, size), size);
  return now() - begin;
}

static double run(int writing, int through_pipe, size_t size, unsigned count) {
  double sum = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (through_pipe) {
      const double written = timed_write(ends[1], size), read = timed_read(ends[0], size);
      sum += writing ? written : read;
    } else {
      if (lseek(file, (off_t)(i * size % kFile), SEEK_SET) < 0) fail("lseek");
      sum += writing ? timed_write(file, size) : timed_read(file, size);
    }
  }
  return sum / count;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  if (posix_memalign((void **)&buffer, 4096, kMost) != 0) fail("memory");
  memset(buffer, 'x', kMost);
  file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0) fail(argv[1]);
  for (int i = 0; i < kFile; i += kMost) whole(write(file, buffer, kMost), kMost);
  if (pipe(ends) != 0 || fcntl(ends[1], F_SETPIPE_SZ, kMost) < kMost) fail("pipe");
  say("ready %d", getpid());
  char line[100], what[10], where[10];
  size_t size;
  unsigned count;
  while (next_order(line, sizeof line) && sscanf(line, "%9s %9s %zu %u", what, where, &size, &count) == 4 && size <= kMost)
    say("%.9g", run(strcmp(what, "write") == 0, strcmp(where, "pipe") == 0, size, count));
  unlink(argv[1]);
}
