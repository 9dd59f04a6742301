// The data port. Until a connection has proved the session's token, it costs one of a few places for a few seconds and is read in fixed sizes; whatever is
// not exactly as it must be closes it, without an answer.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/clocks.h"
#include "engine/log.h"
#include "engine/sha256.h"
#include "gate.h"
#include "seal/orders.h"

namespace mosrun {

[[gnu::noinline]] void wipe_stack() {
  char below[4096];
  explicit_bzero(below, sizeof below);
}

int64_t Gate::arrival_deadline(const Arrival &arrival) {
  return arrival.since + (arrivals_.count >= kArrivalsMax ? kArrivalTimeCrowded : kArrivalTime);
}

void Gate::accept_arrivals() {
  while (arrivals_.count < kArrivalsMax) {
    int fd = accept4(data_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto *arrival = static_cast<Arrival *>(calloc(1, sizeof(Arrival)));
    if (!arrival || !arrivals_.add(arrival)) {
      free(arrival);
      close(fd);
      return;
    }
    arrival->fd = fd;
    arrival->since = now_ns(CLOCK_MONOTONIC);
  }
}

void Gate::read_arrival(Arrival &arrival) {
  unsigned char first;
  if (!arrival.sealed && !arrival.said_hello && arrival.have == 0 && recv(arrival.fd, &first, 1, MSG_PEEK) == 1 && first == kTlsHandshake) {
    return seal_arrival(arrival);
  }
  for (;;) {
    auto *into = arrival.said_hello ? reinterpret_cast<char *>(&arrival.proof) : reinterpret_cast<char *>(&arrival.hello);
    size_t size = arrival.said_hello ? sizeof arrival.proof : sizeof arrival.hello;
    ssize_t got = recv(arrival.fd, into + arrival.have, size - arrival.have, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      arrival.over = true;
      return;
    }
    arrival.have += static_cast<size_t>(got);
    if (arrival.have < size) continue;
    if (arrival.said_hello) {
      proof(arrival);
      arrival.over = true;
      return;
    }
    if (!hello(arrival)) {
      arrival.over = true;
      return;
    }
    arrival.said_hello = true;
    arrival.have = 0;
  }
}

bool Gate::hello(Arrival &arrival) {
  const Hello &hello = arrival.hello;
  if (hello.magic != kHelloMagic) return false;
  if (hello.protocol != kProtocol) {               // it hears which one this is, and nothing else
    Challenge other{};
    other.magic = kHelloMagic;
    other.protocol = kProtocol;
    send(arrival.fd, &other, sizeof other, MSG_NOSIGNAL);
    return false;
  }
  if (hello.kind > ChannelKind::memory) return false;
  Session *session = find_session(hello.session);
  if (!session || !session->token) return false;   // without one: of a mosgate before this one
  if (session->sealed != arrival.sealed) return false;
  if (arrival.sealed && (arrival.session != session->id || arrival.memory != (hello.kind == ChannelKind::memory))) return false;
  Challenge &challenge = arrival.challenge;
  challenge.magic = kHelloMagic;
  challenge.protocol = kProtocol;
  if (getrandom(challenge.nonce, sizeof challenge.nonce, 0) != sizeof challenge.nonce) return false;
  const Clocks clocks = read_clocks();
  challenge.boottime = clocks.boottime;
  challenge.monotonic = clocks.monotonic;
  challenge.realtime = clocks.realtime;
  // A fresh connection's buffer takes 56 bytes.
  return send(arrival.fd, &challenge, sizeof challenge, MSG_NOSIGNAL) == sizeof challenge;
}

void Gate::proof(Arrival &arrival) {
  const Hello &hello = arrival.hello;
  Session *session = find_session(hello.session);   // it may have ended since
  if (!session || !session->token) return;
  uint8_t mac[32];
  if (hello.kind == ChannelKind::memory) {           // from another hosting node, which has a key for this alone
    uint8_t key[32];
    hmac_sha256(session->token, 32, key, MemoryLabel{});
    hmac_sha256(key, sizeof key, mac, hello, arrival.challenge, arrival.proof.begin);
  } else {
    hmac_sha256(session->token, 32, mac, hello, arrival.challenge, arrival.proof.begin);
  }
  wipe_stack();
  if (!equal_in_constant_time(mac, arrival.proof.mac, sizeof mac)) {
    log_line("session %016lx: a channel with a wrong proof was refused", session->id);
    return;
  }
  bool first = hello.kind == ChannelKind::thread && hello.index == 0;
  if ((first || hello.kind == ChannelKind::memory) && session->state != SessionState::open) return;
  if ((arrival.sealed ? set_blocking(arrival.fd, true) : prepare_channel(arrival.fd)) < 0) return;
  if (!first) {
    Welcome welcome{kHelloMagic, 0, 0};
    if (send(arrival.fd, &welcome, sizeof welcome, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof welcome) return;
  } else {
    session->state = SessionState::arriving;
    session->expires = 0;
    session->home_pid = arrival.proof.begin.pid;
  }
  pass(*session, {{PoolType::channel, hello.kind, hello.index, 0, hello.owner}, arrival.proof.begin}, arrival.fd);
  arrival.fd = -1;
  if (first) write_state(*session);
}

}  // namespace mosrun
