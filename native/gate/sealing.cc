// Encrypted sessions: their connections go to mosseal first, a program of its own without rights, which gives back what comes out of them. It is started
// when the first is wanted. One that dies takes its channels with it; the next connection starts another.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <initializer_list>

#include "engine/log.h"
#include "engine/sha256.h"
#include "gate.h"
#include "seal/orders.h"

namespace mosrun {

namespace {

constexpr int kStartTime = 2000;                  // ms; it takes ten
constexpr int64_t kRestTime = kSecond;            // after one that did not start
constexpr int kQueue = 8 << 20;                   // bytes: room for the keys of all sessions

int listen_as(uint32_t number) {
  SealAddress address = seal_address(number);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  // By root, who is seen by those who connect (unix(7), SO_PEERCRED: whoever called listen).
  if (bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  int error = -errno;
  close(fd);
  return error;
}

[[noreturn]] void become(const char *libexec, int control, int listener) {
  char path[384];
  snprintf(path, sizeof path, "%s/mosseal", libexec);
  char *const words[] = {const_cast<char *>("mosseal"), nullptr}, *const environment[] = {nullptr};
  int high[2] = {fcntl(control, F_DUPFD, 16), fcntl(listener, F_DUPFD, 16)};
  // It may outlive all that waits for the end of what this program was started with.
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(null, 1);
  if (log_descriptor != 2) dup2(log_descriptor, 2);
  dup2(high[0], kSealControl);
  dup2(high[1], kSealListener);
  close_range(5, ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();
  execve(path, words, environment);
  log_line("%s: %s", path, strerror(errno));
  _exit(1);
}

void key_of(const Session &session, bool memory, uint8_t (&key)[kSealKeySize]) {
  if (!memory) return hmac_sha256(session.token, 32, key, SealLabel{});
  uint8_t own[32];
  hmac_sha256(session.token, 32, own, MemoryLabel{});
  hmac_sha256(own, sizeof own, key, SealLabel{});
  explicit_bzero(own, sizeof own);
}

}  // namespace

// 0, or -errno. It is our own program, so it is waited for, a moment.
int Gate::need_seal() {
  if (seal_ >= 0) return 0;
  if (now_ns(CLOCK_MONOTONIC) < seal_rests_) return -EAGAIN;
  seal_rests_ = now_ns(CLOCK_MONOTONIC) + kRestTime;
  uint32_t number = 0;
  while (number == 0)
    if (getrandom(&number, sizeof number, 0) != sizeof number) return -EIO;
  int listener = listen_as(number);
  if (listener < 0) return listener;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
    int error = -errno;
    close(listener);
    return error;
  }
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &kQueue, sizeof kQueue);
  pid_t pid = fork();
  if (pid == 0) become(options_.libexec, pair[1], listener);
  int error = pid < 0 ? -errno : 0;
  close(pair[1]);
  close(listener);
  pollfd ready{pair[0], POLLIN, 0};
  SealReport report{};
  if (!error && poll(&ready, 1, kStartTime) != 1) error = -ETIMEDOUT;
  if (!error && (recv(pair[0], &report, sizeof report, MSG_DONTWAIT) != sizeof report || report.state != SealState::ready)) error = -ECHILD;
  if (error) {
    log_line("mosseal did not start: %s", strerror(-error));
    close(pair[0]);
    return error;
  }
  seal_rests_ = 0;
  seal_ = pair[0];
  seal_number_ = number;
  for (Session *session : sessions_) give_keys(*session);
  return seal_ >= 0 ? 0 : -EPIPE;
}

bool Gate::tell_seal(const SealMessage &message, int fd) {
  if (seal_ >= 0 && send_with_fd(seal_, &message, sizeof message, fd) == 0) return true;
  lose_seal();
  return false;
}

void Gate::give_keys(const Session &session) {
  if (!session.sealed || session.ended || !session.token) return;
  for (bool memory : {false, true}) {
    SealMessage message{};
    message.order = SealOrder::key;
    message.session = session.id;
    message.memory = memory;
    key_of(session, memory, message.key);
    tell_seal(message, -1);
    explicit_bzero(&message, sizeof message);
  }
  wipe_stack();
}

void Gate::forget_keys(const Session &session) {
  if (!session.sealed || seal_ < 0) return;
  SealMessage message{};
  message.order = SealOrder::forget;
  message.session = session.id;
  tell_seal(message, -1);
}

// It began as TLS does. It keeps its place here until it is through, or its time is over.
void Gate::seal_arrival(Arrival &arrival) {
  arrival.over = true;
  bool wanted = false;
  for (Session *session : sessions_) wanted = wanted || (session->sealed && !session->ended);
  if (!wanted || need_seal()) return;
  SealMessage message{};
  message.order = SealOrder::arrival;
  message.arrival = arrival.number = ++arrival_numbers_;
  if (!tell_seal(message, arrival.fd)) return;
  arrival.sealing = true;
  arrival.over = false;
}

void Gate::hear_seal() {
  while (seal_ >= 0) {
    SealReport report;
    int fd;
    ssize_t got = receive_with_fd(seal_, &report, sizeof report, &fd);
    if (got == -EAGAIN) return;
    if (got <= 0) return lose_seal();
    for (Arrival *arrival : arrivals_) {
      if (got != sizeof report || !arrival->sealing || arrival->over || arrival->number != report.arrival) continue;
      arrival->sealing = false;
      close(arrival->fd);
      arrival->fd = fd;
      fd = -1;
      arrival->sealed = report.state == SealState::sealed && arrival->fd >= 0;
      arrival->over = !arrival->sealed;
      arrival->session = report.session;
      arrival->memory = report.memory;
    }
    if (fd >= 0) close(fd);
  }
}

void Gate::lose_seal() {
  if (seal_ < 0) return;
  log_line("mosseal has ended");
  close(seal_);
  seal_ = -1;
  for (Arrival *arrival : arrivals_) arrival->over = arrival->over || arrival->sealing;
}

// Channels of this node's to a session of another. Wipes the key: the session's token, or its memory channel's key.
int Gate::make_route(uint64_t session, bool memory, uint8_t (&key)[32], uint32_t address, uint16_t port) {
  SealMessage message{};
  message.order = SealOrder::route;
  message.session = session;
  message.memory = memory;
  message.address = address;
  message.port = port;
  hmac_sha256(key, sizeof key, message.key, SealLabel{});
  explicit_bzero(key, sizeof key);
  wipe_stack();
  int error = need_seal();
  if (!error && !tell_seal(message, -1)) error = -EPIPE;
  explicit_bzero(&message, sizeof message);
  return error;
}

void Gate::drop_route(uint64_t session) {
  SealMessage message{};
  message.order = SealOrder::unroute;
  message.session = session;
  if (seal_ >= 0) tell_seal(message, -1);
}

}  // namespace mosrun
