// Four megabytes in each direction of a TCP connection at once arrive whole, wherever both ends of it go meanwhile.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>

enum { SIZE = 4 << 20 };
static int in, out;
static unsigned char byte_at(size_t i, int salt) { return (unsigned char)(i * 7 + i / 4099 + (size_t)salt); }
static void *feed(void *socket) {
  static unsigned char data[2][50000];
  const int which = socket == &in;
  for (size_t at = 0; at < SIZE;) {
    size_t n = SIZE - at < 50000 ? SIZE - at : 50000;
    for (size_t i = 0; i < n; ++i) data[which][i] = byte_at(at + i, which);
    for (size_t done = 0; done < n;) {
      const ssize_t wrote = write(*(int *)socket, data[which] + done, n - done);
      if (wrote <= 0) abort();
      done += (size_t)wrote;
    }
    at += n;
  }
  shutdown(*(int *)socket, SHUT_WR);
  return NULL;
}
static void *check(void *socket) {
  static unsigned char data[2][65536];
  const int which = socket == &in;
  size_t at = 0, wrong = 0;
  ssize_t n;
  while ((n = read(*(int *)socket, data[which], 65536)) > 0)
    for (ssize_t i = 0; i < n; ++i, ++at) wrong += data[which][i] != byte_at(at, !which);
  return (void *)(uintptr_t)(at == SIZE ? wrong : SIZE);
}

BEHAVIOUR {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof where;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (void *)&where, sizeof where), listen(listener, 1);
  getsockname(listener, (void *)&where, &length);
  out = socket(AF_INET, SOCK_STREAM, 0);
  DO(connect(out, (void *)&where, sizeof where));
  in = TRY(accept(listener, NULL, NULL));
  pthread_t threads[4];
  pthread_create(&threads[0], NULL, feed, &in);
  pthread_create(&threads[1], NULL, check, &out);
  pthread_create(&threads[2], NULL, feed, &out);
  pthread_create(&threads[3], NULL, check, &in);
  for (int i = 0; i < 6; ++i) AT(sleep_ms(10));
  for (int i = 0; i < 4; ++i) {
    void *wrong = NULL;
    AT(pthread_join(threads[i], &wrong));
    if (i % 2) SAY("%d wrong", (int)(uintptr_t)wrong);
  }
}
