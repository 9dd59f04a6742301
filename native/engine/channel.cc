#include "engine/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/proc.h"
#include "engine/sha256.h"

namespace mosrun {

namespace {

int wait_for(int fd, short events, int timeout_ms) {
  pollfd p{fd, events, 0};
  int n;
  do n = poll(&p, 1, timeout_ms);
  while (n < 0 && errno == EINTR);
  return n < 0 ? errno : n ? 0 : ETIMEDOUT;
}

template <class Address> int connect_to(const Address &to, int fd, int timeout_ms) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  if (connect(fd, reinterpret_cast<const sockaddr *>(&to), sizeof to) && errno != EINPROGRESS) return errno;
  if (int error = wait_for(fd, POLLOUT, timeout_ms)) return error;
  int error = 0;
  socklen_t n = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
  return error;
}

// Its name is free when it has died, for anyone.
int connect_to_seal(uint32_t number, int fd, int timeout_ms) {
  if (int error = connect_to(seal_address(number), fd, timeout_ms)) return error;
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ? errno : peer.uid ? EPERM : 0;
}

int send_whole(int fd, const void *data, size_t size) {
  ssize_t n = send(fd, data, size, MSG_NOSIGNAL);   // a few dozen bytes into an empty buffer
  return n == ssize_t(size) ? 0 : n < 0 ? errno : EIO;
}

int receive_whole(int fd, void *data, size_t size, int timeout_ms) {
  auto *at = static_cast<char *>(data);
  int64_t until = clock_ns(CLOCK_MONOTONIC) + timeout_ms * 1000000LL;
  while (size) {
    int64_t left = (until - clock_ns(CLOCK_MONOTONIC)) / 1000000;
    if (int error = wait_for(fd, POLLIN, left > 0 ? int(left) : 0)) return error;
    ssize_t n = recv(fd, at, size, 0);
    if (n == 0) return ECONNRESET;
    if (n < 0 && errno != EAGAIN && errno != EINTR) return errno;
    if (n > 0) at += n, size -= size_t(n);
  }
  return 0;
}

int introduce(Opened &opened, const Session &session, ChannelKind kind, unsigned index, Begin *begin, int timeout_ms) {
  Hello hello{kHelloMagic, session.protocol, kind, uint16_t(index), session.id, {}, session.owner, 0};
  if (getrandom(hello.nonce, sizeof hello.nonce, 0) != ssize_t(sizeof hello.nonce)) return EIO;
  opened.asked_at = read_clocks();
  if (int error = send_whole(opened.fd, &hello, sizeof hello)) return error;
  if (int error = receive_whole(opened.fd, &opened.challenge, sizeof opened.challenge, timeout_ms)) return error;
  if (opened.challenge.magic != kHelloMagic) return EPROTO;
  if (opened.challenge.protocol != session.protocol) return EPROTONOSUPPORT;
  if (opened.challenge.error) return opened.challenge.error <= 4095 ? int(opened.challenge.error) : EPROTO;
  if (opened.challenge.realtime < 0 || opened.challenge.monotonic < 0 || opened.challenge.boottime < 0) return EPROTO;   // no clock of a node
  Proof proof{};
  if (begin) {
    improve_offsets(*begin, opened);
    proof.begin = *begin;
    if (session.own_clock) proof.begin.realtime_offset = 0;
  }
  hmac_sha256(session.token, sizeof session.token, proof.mac, hello, opened.challenge, proof.begin);
  return send_whole(opened.fd, &proof, sizeof proof);
}

}  // namespace

// Lower bounds: the guest's clocks are never ahead of home's, so that nothing runs backwards on the way home. The greatest of several is the best, for
// all three at once: a wait may be timed by one of them and watched by another.
void improve_offsets(Begin &begin, const Opened &opened) {
  const Clocks &home = opened.asked_at;
  const Challenge &host = opened.challenge;
  int64_t monotonic = home.monotonic - host.monotonic;
  if (begin.monotonic_offset && begin.monotonic_offset >= monotonic) return;
  begin.monotonic_offset = monotonic;
  begin.realtime_offset = home.realtime - host.realtime;
  begin.boottime_offset = home.boottime - host.boottime;
}

Opened open_channel(const Session &session, ChannelKind kind, unsigned index, Begin *begin, int timeout_ms) {
  Opened opened;
  opened.fd = socket(session.seal ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (opened.fd < 0) opened.error = errno;
  else opened.error = session.seal ? connect_to_seal(session.seal, opened.fd, timeout_ms) : connect_to(session.gate, opened.fd, timeout_ms);
  if (!opened.error && !session.seal) {
    int one = 1, idle = 10, interval = 5, count = 6;
    setsockopt(opened.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(opened.fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(opened.fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(opened.fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(opened.fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  }
  if (!opened.error) opened.error = introduce(opened, session, kind, index, begin, timeout_ms);
  if (opened.error && opened.fd >= 0) close(opened.fd), opened.fd = -1;
  return opened;
}

int await_welcome(int fd, int timeout_ms) {
  Welcome welcome{};
  if (int error = receive_whole(fd, &welcome, sizeof welcome, timeout_ms)) return error;
  if (welcome.magic != kHelloMagic) return EPROTO;
  if (!welcome.status) fcntl(fd, F_SETFL, 0);   // the stub waits in it
  return int(welcome.status);
}

}  // namespace mosrun
