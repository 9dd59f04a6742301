// What a thread has written is there when another ends the process, or makes it another program, as soon as it knows.
// libraries: pthread
#include "../../lab.h"

enum { kPiece = 3000, kPieces = 12 };
static atomic_int written;
static int fd;

static void *writes(void *argument UNUSED) {
  char piece[kPiece];
  for (int i = 0; i < kPieces; ++i) {
    memset(piece, i, sizeof piece);
    if (write(fd, piece, sizeof piece) != kPiece) _exit(9);
    ++written;
  }
  for (;;) pause();
}

static void look(int round) {
  struct stat s;
  HOLDS(stat("file", &s) == 0);
  SAY("%d: %lld bytes", round, (long long)s.st_size);
}

BEHAVIOUR {
  for (int round = 0; round < 12; ++round) {
    fd = open("file", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    written = 0;
    const pid_t child = FORK();
    if (!child) {
      pthread_t thread;
      pthread_create(&thread, NULL, writes, NULL);
      while (written < kPieces) sched_yield();
      if (round % 2) _exit(3);
      execl("/bin/true", "true", NULL);
    }
    const int status = ended(child);
    if (status != (round % 2 ? 3 : 0)) SAY("child %d", status);
    look(round);
    close(fd);
  }
}
