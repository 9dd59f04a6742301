// What is written is there for whatever comes after it: for the writer's own calls, for another descriptor, for a child, and for a program that is started; and
// what it is written to may be another file each time, by the same number.
#include "../../lab.h"

enum { kPiece = 3000, kPieces = 40 };
static char piece[kPiece], all[kPiece * kPieces + 1];

static void fill(int fd, int from, int to) {
  for (int i = from; i < to; ++i) {
    memset(piece, 'a' + i % 26, sizeof piece);
    HOLDS(write(fd, piece, sizeof piece) == kPiece);
  }
}

static void look(const char *name) {
  const int fd = open(name, O_RDONLY);
  const ssize_t n = read(fd, all, sizeof all);
  unsigned sum = 0;
  for (ssize_t i = 0; i < n; ++i) sum = sum * 31 + (unsigned char)all[i];
  SAY("%s: %zd bytes, %08x", name, n, sum);
  close(fd);
}

static void where(int fd) {
  struct stat s;
  HOLDS(fstat(fd, &s) == 0);
  SAY("%lld bytes, at %lld", (long long)s.st_size, (long long)lseek(fd, 0, SEEK_CUR));
}

BEHAVIOUR {
  int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  fill(fd, 0, 10);
  where(fd);
  fill(fd, 10, 20);
  look("file");
  fill(fd, 20, 25);
  AT(lseek(fd, 5000, SEEK_SET));
  fill(fd, 1, 3);
  AT(lseek(fd, 0, SEEK_END));
  DO(pwrite(fd, "in the middle", 13, 40000));
  fill(fd, 25, 30);
  DO(ftruncate(fd, 70000));
  fill(fd, 30, 33);
  look("file");

  const pid_t child = FORK();
  if (!child) {
    fill(fd, 33, 36);
    _exit(lseek(fd, 0, SEEK_CUR) % 251);
  }
  SAY("child %d", ended(child));
  where(fd);
  fill(fd, 36, kPieces);
  DO(fsync(fd));
  look("file");

  const int other = DO(open("other", O_WRONLY | O_CREAT, 0600));
  DO(dup2(other, fd));
  fill(fd, 0, 5);
  DO(close(other));
  fill(fd, 5, 8);
  int ends[2];
  HOLDS(pipe(ends) == 0);
  DO(dup2(ends[1], fd));
  DO(write(fd, "to the pipe", 11));
  DO(read(ends[0], all, 100));
  look("file"), look("other");

  DO(close(fd));
  fd = DO(open("appended", O_WRONLY | O_CREAT | O_APPEND, 0600));
  fill(fd, 0, 6);
  DO(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
  fill(fd, 6, 9);
  look("appended");
  DO(rename("appended", "renamed"));
  fill(fd, 9, 11);
  DO(unlink("renamed"));
  fill(fd, 11, 13);
  where(fd);
  DO(close(fd));
  DO(write(fd, "x", 1));
}
