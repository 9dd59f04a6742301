// sendfile and splice bring a file to a socket, from a position that they count on, also when the socket is full for a while.
#include "../../lab.h"
#include <sys/sendfile.h>

static int s[2];
static char sink[1 << 16];
static size_t drained, wrong;
static void drain(void) {
  ssize_t n;
  while ((n = read(s[1], sink, sizeof sink)) > 0)
    for (ssize_t i = 0; i < n; ++i) wrong += sink[i] != (char)(drained++ / 4096);
}

BEHAVIOUR {
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < 500; ++i) {
    memset(sink, i, 4096);
    if (write(fd, sink, 4096) != 4096) abort();
  }
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  const pthread_t other = later(50, drain);
  off_t at = 0;
  AT(while (at < 400 * 4096 && sendfile(s[0], fd, &at, (size_t)(400 * 4096 - at)) > 0) continue);
  SAY("%ld", (long)at);
  int ends[2];
  DO(pipe(ends));
  loff_t from = 400 * 4096;
  for (int i = 0; i < 5; ++i) {
    AT(if (splice(fd, &from, ends[1], NULL, 20480, 0) != 20480) abort());
    for (size_t left = 20480; left > 0;) left -= (size_t)splice(ends[0], NULL, s[0], NULL, left, SPLICE_F_MORE);
  }
  lseek(fd, 425 * 4096, SEEK_SET);
  AT(for (ssize_t left = 75 * 4096, n; left > 0 && (n = sendfile(s[0], fd, NULL, (size_t)left)) > 0; left -= n) continue);   // a stop cuts it short
  DO(lseek(fd, 0, SEEK_CUR));
  DO(sendfile(s[0], fd, NULL, 10));
  DO(shutdown(s[0], SHUT_WR));
  pthread_join(other, NULL);
  SAY("%d, wrong %d", (int)drained, (int)wrong);
  at = -1;
  DO(sendfile(s[0], fd, &at, 10));
  DO(sendfile(s[0], ends[0], NULL, 10));
}
