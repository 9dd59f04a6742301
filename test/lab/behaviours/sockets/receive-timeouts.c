// SO_RCVTIMEO and SO_SNDTIMEO end a wait with EAGAIN when their time is over, wherever the time was spent.
#include "../../lab.h"
#include <sys/time.h>

static int s[2];
static void put(void) { if (write(s[1], "in time", 7) != 7) abort(); }

BEHAVIOUR {
  struct timeval t = {0, 120000}, told = {9, 9};
  socklen_t length = sizeof told;
  static char large[1 << 20], text[8];
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  DO(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
  DO(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &told, &length));
  SAY("%ld %d", (long)told.tv_sec, told.tv_usec >= 120000 && told.tv_usec <= 124000);
  LASTS(0.12, DO(read(s[0], text, 8)));
  LASTS(0.12, DO(recv(s[0], text, 8, MSG_WAITALL)));
  const pthread_t other = later(40, put);
  t.tv_sec = 5;
  DO(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
  DO(read(s[0], text, 8));
  pthread_join(other, NULL);
  t.tv_sec = 0;
  DO(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
  AT(const ssize_t n = write(s[0], large, sizeof large); HOLDS(n > 0 && n < 1 << 20));   // a part, at once or when the time is over
  AT(while (send(s[0], large, 1000, MSG_DONTWAIT) > 0) continue);
  LASTS(0.12, DO(write(s[0], large, 100000)));
  t.tv_usec = 1000000;
  DO(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
  DO(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, 3));
}
