// Threads that read one descriptor get each piece of the file once, while others open and close files of their own.
// libraries: pthread
#include "../../lab.h"

enum { kPieces = 300, kPiece = 1000 };
static int shared_fd;
static atomic_int seen[kPieces], wrong;

static void *reads(void *argument UNUSED) {
  char piece[kPiece];
  while (read(shared_fd, piece, sizeof piece) == kPiece) {
    int number;
    memcpy(&number, piece, sizeof number);
    if (number < 0 || number >= kPieces || piece[kPiece - 1] != (char)number) ++wrong;
    else ++seen[number];
  }
  return NULL;
}

static void *opens(void *argument UNUSED) {
  char text[100];
  for (int i = 0; i < 60; ++i) {
    const int fd = open("file", O_RDONLY);
    if (read(fd, text, sizeof text) != sizeof text || lseek(fd, 0, SEEK_CUR) != sizeof text) ++wrong;
    const int other = dup(fd);
    if (pread(other, text, sizeof text, (i % kPieces) * kPiece) != sizeof text || text[0] != (char)i) ++wrong;
    close(fd), close(other);
  }
  return NULL;
}

BEHAVIOUR {
  char piece[kPiece] = "";
  const int made = open("file", O_WRONLY | O_CREAT, 0600);
  for (int i = 0; i < kPieces; ++i) {
    memset(piece, i, sizeof piece);
    memcpy(piece, &i, sizeof i);
    if (write(made, piece, sizeof piece) != kPiece) ++wrong;
  }
  close(made);
  for (int round = 0; round < 3; ++round) {
    shared_fd = DO(open("file", O_RDONLY));
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, i < 3 ? reads : opens, NULL);
    lab_point("meanwhile");
    for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
    DO(lseek(shared_fd, 0, SEEK_CUR));
    DO(close(shared_fd));
  }
  int missing = 0;
  for (int i = 0; i < kPieces; ++i) missing += seen[i] != 3;
  SAY("%d wrong, %d missing", wrong, missing);
}
