// The bare network that a figure is held against.
//   wire serve PORT
//   wire ask ADDRESS PORT      orders:
//     exchange REQUEST REPLY COUNT   messages of so many bytes there and back, blocking.  Answer: seconds per exchange.
//     send BYTES                     random data from memory here into memory there that was never touched.  Answer: seconds.
#include "worker.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct Head {   // at the start of every request
  uint64_t request, reply, into_fresh_memory;
};
enum { kBuffer = 2 << 20, kPart = 8 << 20 };
static char buffer[kBuffer];

static void send_whole(int fd, const char *data, size_t size) {
  while (size > 0) {
    const ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    if (n < 0) fail("send");
    data += n;
    size -= (size_t)n;
  }
}

// Receives at least `least` bytes; 0 at the end of the stream.
static size_t receive(int fd, char *to, size_t least, size_t room) {
  size_t got = 0;
  while (got < least) {
    const ssize_t n = recv(fd, to + got, room - got, 0);
    if (n < 0) fail("recv");
    if (n == 0) return 0;
    got += (size_t)n;
  }
  return got;
}

static void *fresh(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  return memory;
}

static void serve_one(int fd) {
  for (;;) {
    const size_t got = receive(fd, buffer, sizeof(struct Head), sizeof buffer);
    if (got == 0) return;
    struct Head head;
    memcpy(&head, buffer, sizeof head);
    if (head.into_fresh_memory) {
      char *memory = fresh(head.into_fresh_memory);
      send_whole(fd, buffer, head.reply);
      for (size_t at = 0; at < head.into_fresh_memory;) {
        const size_t left = head.into_fresh_memory - at, part = left < kPart ? left : kPart;
        const size_t n = receive(fd, memory + at, 1, part);
        if (n == 0) return;
        at += n;
      }
      send_whole(fd, buffer, head.reply);
      munmap(memory, head.into_fresh_memory);
      continue;
    }
    if (got < head.request && receive(fd, buffer + got, head.request - got, sizeof buffer - got) == 0) return;
    send_whole(fd, buffer, head.reply);
  }
}

static void prepare(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void serve(uint16_t port) {
  const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
  const int one = 1, door = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(door, (const struct sockaddr *)&here, sizeof here) != 0 || listen(door, 1) != 0) fail("listen");
  say("ready %d", getpid());
  const int fd = accept(door, NULL, NULL);
  if (fd < 0) fail("accept");
  prepare(fd);
  serve_one(fd);
}

static double exchange(int fd, size_t request, size_t reply, unsigned count) {
  if (request < sizeof(struct Head) || request > kBuffer || reply > kBuffer) return -1;
  const struct Head head = {request, reply, 0};
  const double begin = now();
  for (unsigned i = 0; i < count; ++i) {
    memcpy(buffer, &head, sizeof head);
    send_whole(fd, buffer, request);
    if (receive(fd, buffer, reply, sizeof buffer) == 0) fail("the server");
  }
  return (now() - begin) / count;
}

static double send_random(int fd, size_t size) {
  static char *memory;
  static size_t filled;
  if (filled < size) {
    memory = fresh(size);
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i + 8 <= size; i += 8) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      memcpy(memory + i, &x, 8);
    }
    filled = size;
  }
  const struct Head head = {sizeof head, 16, size};
  send_whole(fd, (const char *)&head, sizeof head);
  if (receive(fd, buffer, 16, 16) == 0) fail("the server");
  const double begin = now();
  for (size_t at = 0; at < size; at += kPart) send_whole(fd, memory + at, size - at < kPart ? size - at : kPart);
  if (receive(fd, buffer, 16, 16) == 0) fail("the server");
  return now() - begin;
}

static void ask(const char *address, uint16_t port) {
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port)};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (inet_pton(AF_INET, address, &there.sin_addr) != 1) fail(address);
  if (connect(fd, (const struct sockaddr *)&there, sizeof there) != 0) fail("connect");
  prepare(fd);
  say("ready %d", getpid());
  char line[100];
  size_t request, reply;
  unsigned count;
  while (next_order(line, sizeof line)) {
    if (sscanf(line, "exchange %zu %zu %u", &request, &reply, &count) == 3) say("%.9g", exchange(fd, request, reply, count));
    else if (sscanf(line, "send %zu", &request) == 1) say("%.9g", send_random(fd, request));
    else exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve((uint16_t)atoi(argv[2]));
  else if (argc == 4 && strcmp(argv[1], "ask") == 0) ask(argv[2], (uint16_t)atoi(argv[3]));
  else return 2;
}
