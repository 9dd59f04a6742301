// A write to a pipe, socket or terminal that waits for its reader ends when all is written, and a receive that is to wait for all when all has come.
#include "../../lab.h"
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <termios.h>

enum { SIZE = 600000 };
static int from, to;
static unsigned char block[SIZE], seen[SIZE];

static unsigned sum_of(const unsigned char *bytes, size_t n) {
  unsigned sum = 0;
  for (size_t i = 0; i < n; ++i) sum = sum * 31 + bytes[i];
  return sum;
}

// A child takes it slowly, and looks whether all came, in order.
static void take_all(void) {
  size_t got = 0;
  while (got < SIZE) {
    const size_t most = SIZE - got < 40000 ? SIZE - got : 40000;
    const ssize_t n = read(from, seen + got, most);
    if (n <= 0) break;
    got += (size_t)n;
    sleep_ms(15);
  }
  _exit(got == SIZE && sum_of(seen, SIZE) == sum_of(block, SIZE) ? 7 : 8);
}

static void give_all(void) {
  for (size_t given = 0; given < SIZE; given += SIZE / 20) {
    if (send(to, block + given, SIZE / 20, 0) != SIZE / 20) _exit(8);
    sleep_ms(15);
  }
  _exit(7);
}

#define TAKEN(call)                          \
  do {                                       \
    const pid_t child = child_later(0, take_all); \
    DO(call);                                \
    SAY("the reader: %d", ended(child));     \
  } while (0)

#define GIVEN(call)                          \
  do {                                       \
    const pid_t child = child_later(0, give_all); \
    memset(seen, 0, SIZE);                   \
    DO(call);                                \
    SAY("the writer: %d, %d", ended(child), sum_of(seen, SIZE) == sum_of(block, SIZE)); \
  } while (0)

BEHAVIOUR {
  int ends[2];
  for (size_t i = 0; i < SIZE; ++i) block[i] = (unsigned char)(i * 7 + i / 251);
  struct iovec parts[3] = {{block, 100001}, {block + 100001, 250000}, {block + 350001, SIZE - 350001}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
  if (pipe(ends)) abort();
  from = ends[0], to = ends[1];
  TAKEN(write(to, block, SIZE));
  TAKEN(writev(to, parts, 3));
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) abort();
  from = ends[0], to = ends[1];
  TAKEN(send(to, block, SIZE, 0));
  TAKEN(sendmsg(to, &message, 0));
  const int file = open("file", O_RDWR | O_CREAT, 0600);
  if (write(file, block, SIZE) != SIZE) abort();
  off_t at = 0;
  TAKEN(sendfile(to, file, &at, SIZE));
  SAY("%ld", (long)at);
  GIVEN(recv(from, seen, SIZE, MSG_WAITALL));
  struct iovec rooms[2] = {{seen, 300000}, {seen + 300000, SIZE - 300000}};
  struct msghdr room = {.msg_iov = rooms, .msg_iovlen = 2};
  GIVEN(recvmsg(from, &room, MSG_WAITALL));
}
