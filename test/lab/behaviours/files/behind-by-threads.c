// What one thread has written is there for the calls of all others, as soon as they know of it.
// libraries: pthread
#include "../../lab.h"

enum { kPiece = 2000, kPieces = 400 };
static int fd, ends[2];
static atomic_int written, wrong, looks, looking = 3;

static void *writes(void *argument UNUSED) {
  char piece[kPiece];
  for (int i = 0; i < kPieces; ++i) {
    memset(piece, i, sizeof piece);
    if (write(fd, piece, sizeof piece) != kPiece) ++wrong;
    ++written;
  }
  return NULL;
}

static void *reads(void *argument UNUSED) {
  char last;
  while (written < kPieces) {
    const int there = written;
    if (there && (pread(fd, &last, 1, (off_t)there * kPiece - 1) != 1 || last != (char)(there - 1))) ++wrong;
    ++looks;
  }
  --looking;
  return NULL;
}

static void *asks(void *argument UNUSED) {
  struct stat s;
  while (written < kPieces) {
    const int there = written;
    if (stat("file", &s) || s.st_size < (off_t)there * kPiece) ++wrong;
    ++looks;
  }
  --looking;
  return NULL;
}

// Tells another process, which looks for itself.
static void *tells(void *argument UNUSED) {
  while (written < kPieces) {
    const int there = written;
    if (write(ends[1], &there, sizeof there) != sizeof there) ++wrong;
    ++looks;
  }
  --looking;
  return NULL;
}

BEHAVIOUR {
  HOLDS(pipe(ends) == 0);
  fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  const pid_t child = FORK();
  if (!child) {
    int there, bad = 0;
    struct stat s;
    close(ends[1]);
    while (read(ends[0], &there, sizeof there) == sizeof there)
      if (fstat(fd, &s) || s.st_size < (off_t)there * kPiece) ++bad;
    _exit(bad > 100 ? 100 : bad);
  }
  close(ends[0]);
  pthread_t threads[4];
  void *(*what[])(void *) = {reads, asks, tells, writes};
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, what[i], NULL);
  lab_point("meanwhile");
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  DO(close(ends[1]));
  SAY("child %d, %d wrong, %d still looking", ended(child), wrong, looking);
  DO(lseek(fd, 0, SEEK_CUR));
}
