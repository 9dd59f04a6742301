/* Reads a file again for each letter on standard input, and says what it holds: rereads FILE [threads]
   s: in order, from its beginning; p: by pread; o: opened anew; c: nothing, it computes until the next letter has come. With `threads` one more
   thread computes meanwhile and one waits in a call. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile unsigned long turns;
static int never[2];

static void *computes(void *unused) {
  for (;; ++turns) continue;
  return unused;
}

static void *waits(void *unused) {
  char byte;
  return read(never[0], &byte, 1) < 0 ? NULL : unused;
}

static void whole(int fd, char how) {
  static char piece[50000];
  uint64_t hash = 1469598103934665603u;
  size_t total = 0;
  ssize_t n;
  int wrong = 0;
  if (how != 'p') lseek(fd, 0, SEEK_SET);
  while (wrong < 3) {
    n = how == 'p' ? pread(fd, piece, sizeof piece, (off_t)total) : read(fd, piece, sizeof piece);
    if (n == 0) break;
    if (n < 0) {
      printf("%s at %zu; ", strerror(errno), total);
      total += sizeof piece, ++wrong;
      if (how != 'p') lseek(fd, (off_t)total, SEEK_SET);
      continue;
    }
    total += (size_t)n;
    for (ssize_t i = 0; i < n; ++i) hash = (hash ^ (unsigned char)piece[i]) * 1099511628211u;
  }
  printf("%c %zu bytes %016lx, now at %ld\n", how, total, (unsigned long)hash, (long)lseek(fd, 0, SEEK_CUR));
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc < 2) return 2;
  if (argc > 2) {
    pthread_t threads[2];
    if (pipe(never) != 0 || pthread_create(&threads[0], NULL, computes, NULL) || pthread_create(&threads[1], NULL, waits, NULL)) return 1;
  }
  int fd = open(argv[1], O_RDONLY);
  printf("ready\n");
  for (char letter; fd >= 0 && read(0, &letter, 1) == 1;) {
    if (letter == 's' || letter == 'p') whole(fd, letter);
    if (letter == 'o') {
      close(fd);
      whole(fd = open(argv[1], O_RDONLY), letter);
    }
    if (letter == 'c') {
      printf("computing\n");
      for (int fresh = 1; fresh != 0; ++turns) {                    /* no call for a while, then one look whether it is over */
        if (turns % 400000000 == 0) {
          struct pollfd in = {0, POLLIN, 0};
          fresh = poll(&in, 1, 0) == 0;
        }
      }
    }
  }
  printf("end\n");
  return 0;
}
