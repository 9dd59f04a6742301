#include "relay.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mosrun {

namespace {

constexpr int kTurns = 16;                       // buffers full, before others have their turn
constexpr uint64_t kBytesOfKey = 64 << 20;       // AES-GCM: a key is good for 2^24.5 records (RFC 8446, 5.5); another costs two hashes
constexpr uint64_t kRecordsOfKey = 1 << 20;
char buffer[64 << 10];

}  // namespace

Leftover::~Leftover() {
  if (bytes) explicit_bzero(bytes, size);
  free(bytes);
}

bool Leftover::keep(const char *data, size_t count) {
  auto *copy = static_cast<char *>(malloc(count));
  if (!copy) return false;
  memcpy(copy, data, count);
  bytes = copy;
  size = count;
  done = 0;
  return true;
}

void Leftover::take(size_t count) {
  done += count;
  if (done < size) return;
  explicit_bzero(bytes, size);
  free(bytes);
  bytes = nullptr;
  size = done = 0;
}

Relay::~Relay() {
  if (ssl) SSL_free(ssl);
  if (plain >= 0) close(plain);
  if (wire >= 0) close(wire);
}

Relay::After Relay::pump() {
  bool up = pump_up(), down = pump_down();
  if (up_over_ && down_over_) return After::over;
  if (wire_failed_ && down_.empty()) return After::over;
  return up || down ? After::again : After::wait;
}

// True: its turn is over, though there may be more.
bool Relay::pump_up() {
  for (int turn = 0; turn < kTurns; turn++) {
    if (up_over_) return false;
    if (!up_.empty()) up_.take(write_wire(up_.bytes + up_.done, up_.size - up_.done));
    if (!up_.empty()) return false;
    if (plain_ended_) return end_up(), false;
    ssize_t got = recv(plain, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
      plain_ended_ = true;
      continue;
    }
    size_t read = static_cast<size_t>(got), sent = write_wire(buffer, read);
    if (sent < read && !up_over_ && !up_.keep(buffer + sent, read - sent)) up_over_ = true;
    if (read < sizeof buffer && !plain_hung) return false;   // epoll says when there is more
  }
  return true;
}

// How much of it went.
size_t Relay::write_wire(const char *data, size_t size) {
  for (size_t done = 0; done < size;) {
    ERR_clear_error();
    int sent = SSL_write(ssl, data + done, static_cast<int>(size - done));
    if (sent <= 0) {
      int error = SSL_get_error(ssl, sent);
      if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) up_over_ = true;   // what came before that is still to be read
      return done;
    }
    done += static_cast<size_t>(sent);
    count(static_cast<size_t>(sent));
  }
  return size;
}

void Relay::count(size_t sent) {
  bytes_ += sent;
  if (++records_ < kRecordsOfKey && bytes_ < kBytesOfKey) return;
  if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED)) bytes_ = records_ = 0;
}

// Each direction ends for itself (RFC 8446, 6.1).
void Relay::end_up() {
  ERR_clear_error();
  int said = SSL_shutdown(ssl);
  if (said < 0 && SSL_get_error(ssl, said) == SSL_ERROR_WANT_WRITE) return;   // the next event tries again
  shutdown(wire, SHUT_WR);
  up_over_ = true;
}

bool Relay::pump_down() {
  for (int turn = 0; turn < kTurns; turn++) {
    if (down_over_) return false;
    if (!down_.empty()) {
      ssize_t sent = send(plain, down_.bytes + down_.done, down_.size - down_.done, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return false;
      if (sent < 0) return down_over_ = true, false;
      down_.take(static_cast<size_t>(sent));
      if (!down_.empty()) return false;
    }
    if (wire_failed_) return false;
    if (wire_ended_) {
      shutdown(plain, SHUT_WR);
      down_over_ = true;
      return false;
    }
    ERR_clear_error();
    int got = SSL_read(ssl, buffer, sizeof buffer);
    if (got > 0) {
      write_plain(buffer, static_cast<size_t>(got));
      continue;
    }
    int error = SSL_get_error(ssl, got);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
    // An end that was not announced may be anyone's doing, and ends both directions: whoever hears of it takes it for a cut line.
    if (error == SSL_ERROR_ZERO_RETURN) wire_ended_ = true;
    else wire_failed_ = true;
  }
  return true;
}

void Relay::write_plain(const char *data, size_t size) {
  ssize_t sent = send(plain, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) {
    down_over_ = true;
    return;
  }
  size_t done = sent < 0 ? 0 : static_cast<size_t>(sent);
  if (done < size && !down_.keep(data + done, size - done)) wire_failed_ = true;
}

}  // namespace mosrun
