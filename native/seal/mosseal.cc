// mosseal: started by mosgate, with its socket to it and the one that this node's channels come by; ends by itself.
//
//   mosseal --version
#include "mosseal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/confine.h"
#include "engine/log.h"
#include "gate/gate.h"

namespace mosrun {

namespace {

// Those of the C library, of OpenSSL and of its own. Descriptors are made by accept, connect and socketpair alone: it can open no file.
constexpr int kCalls[] = {
    SYS_read, SYS_write, SYS_writev, SYS_close, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown, SYS_connect, SYS_accept4,
    SYS_socketpair, SYS_setsockopt, SYS_getsockopt, SYS_fcntl, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_mmap, SYS_mprotect, SYS_munmap,
    SYS_mremap, SYS_madvise, SYS_brk, SYS_futex, SYS_getrandom, SYS_clock_gettime, SYS_getpid, SYS_gettid, SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_rt_sigaction, SYS_tgkill, SYS_restart_syscall, SYS_exit, SYS_exit_group,
};

// Of sessions that may come here, in memory that no core file has. A session has two at most.
constexpr unsigned kSecretsMax = 2 * kSessionsMax;
Secret *secrets = nullptr;
unsigned secret_count = 0;

bool make_room_for_secrets() {
  void *memory = mmap(nullptr, kSecretsMax * sizeof(Secret), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || madvise(memory, kSecretsMax * sizeof(Secret), MADV_DONTDUMP)) return false;
  secrets = static_cast<Secret *>(memory);
  return true;
}

bool is(const Identity &one, const Identity &other) { return one.session == other.session && one.memory == other.memory && one.pad == other.pad; }

const Secret *find_secret(const Identity &identity) {
  for (unsigned i = 0; i < secret_count; i++)
    if (is(secrets[i].identity, identity)) return &secrets[i];
  return nullptr;
}

void forget_secrets_of(uint64_t session) {
  for (unsigned i = secret_count; i-- > 0;) {
    if (secrets[i].identity.session != session) continue;
    secrets[i] = secrets[--secret_count];
    explicit_bzero(&secrets[secret_count], sizeof *secrets);
  }
}

constexpr uint64_t kGate = 2, kListener = 4;   // where epoll names a link otherwise

}  // namespace

int Mosseal::start() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return -errno;
  epoll_event gate{}, listener{};
  gate.events = EPOLLIN;
  gate.data.u64 = kGate;
  listener.events = EPOLLIN | EPOLLET;
  listener.data.u64 = kListener;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, kSealControl, &gate) || epoll_ctl(epoll_, EPOLL_CTL_ADD, kSealListener, &listener)) return -errno;
  return 0;
}

bool Mosseal::report(SealState state, const Link *link, int fd) {
  if (!has_gate_) return false;
  SealReport message{state, link ? link->told.memory : 0, link ? link->told.session : 0, link ? link->arrival : 0};
  return send_with_fd(kSealControl, &message, sizeof message, fd) == 0;
}

void Mosseal::hear_gate() {
  while (has_gate_) {
    SealMessage message;
    int fd;
    ssize_t got = receive_with_fd(kSealControl, &message, sizeof message, &fd);
    if (got == -EAGAIN) return;
    if (got <= 0) return lose_gate();
    if (got == sizeof message) obey(message, fd);
    else if (fd >= 0) close(fd);
    explicit_bzero(&message, sizeof message);
  }
}

void Mosseal::obey(const SealMessage &message, int fd) {
  Identity identity{message.session, message.memory, 0};
  switch (message.order) {
    case SealOrder::key:
      if (secret_count == kSecretsMax || find_secret(identity)) break;
      secrets[secret_count].identity = identity;
      memcpy(secrets[secret_count++].key, message.key, sizeof message.key);
      break;
    case SealOrder::forget:
      forget_secrets_of(message.session);
      break;
    case SealOrder::route: {
      auto *route = static_cast<Route *>(calloc(1, sizeof(Route)));
      if (!route || !routes_.add(route)) {
        free(route);
        break;                           // whoever wants it hears that there is none
      }
      route->secret.identity = identity;
      memcpy(route->secret.key, message.key, sizeof message.key);
      route->address = message.address;
      route->port = message.port;
      route->expires = now_ns(CLOCK_MONOTONIC) + kRouteTime;
      break;
    }
    case SealOrder::unroute:
      for (Route *route : routes_)
        if (route->secret.identity.session == message.session && route->users == 0) route->expires = 0;
      break;
    case SealOrder::arrival:
      if (fd < 0) break;
      take_arrival(fd, message.arrival);
      return;
  }
  if (fd >= 0) close(fd);
}

// The next mosgate starts one of its own, to which new channels come. Here only those go on that are open, and channels of this node to where others are.
void Mosseal::lose_gate() {
  has_gate_ = false;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, kSealControl, nullptr);
  close(kSealControl);
  explicit_bzero(secrets, kSecretsMax * sizeof *secrets);
  secret_count = 0;
  for (Link *link : links_)
    if (!link->outgoing && link->stage != Stage::open) end(*link);
}

Route *Mosseal::route_to(const Hello &hello) {
  Identity identity{hello.session, hello.kind == ChannelKind::memory, 0};
  for (size_t i = routes_.count; i-- > 0;)                  // the last one said
    if (is(routes_[i]->secret.identity, identity)) return routes_[i];
  return nullptr;
}

void Mosseal::expire(int64_t now) {
  if (young_ > 0) {
    for (Link *link : links_)
      if (!link->over && deadline(*link) <= now) link->stage == Stage::hello ? end(*link) : refuse(*link, ETIMEDOUT);
  }
  for (size_t i = routes_.count; i-- > 0;) {
    Route *route = routes_[i];
    if (route->users > 0 || route->expires > now) continue;
    explicit_bzero(route, sizeof *route);
    free(route);
    routes_.remove(i);
  }
}

// Nanoseconds until something is due.
int64_t Mosseal::patience(int64_t now) {
  if (again_.count > 0) return 0;
  int64_t until = INT64_MAX;
  if (crowded_) until = now + kNs / 10;
  if (young_ > 0) {
    for (Link *link : links_)
      if (deadline(*link) < until) until = deadline(*link);
  }
  for (Route *route : routes_)
    if (route->users == 0 && route->expires < until) until = route->expires;
  return until == INT64_MAX ? -1 : until > now ? until - now : 0;
}

int Mosseal::run() {
  if (!report(SealState::ready, nullptr, -1)) return 1;
  while (has_gate_ || routes_.count > 0 || links_.count > hellos_) {
    epoll_event events[64];
    int64_t rest = patience(now_ns(CLOCK_MONOTONIC));
    int count = epoll_wait(epoll_, events, 64, rest < 0 ? -1 : static_cast<int>((rest + 999999) / 1000000));
    if (count < 0 && errno != EINTR) return 1;
    // Those that were told to wait come after those that have waited.
    size_t again = again_.count;
    for (int i = 0; i < count; i++) {
      uint64_t what = events[i].data.u64;
      if (what == kGate) hear_gate();
      else if (what == kListener) accept_links();
      else attend(*reinterpret_cast<Link *>(what & ~1ull), what & 1, events[i].events);
    }
    for (; again > 0; again--) {
      Link *link = again_[0];
      again_.remove(0);
      link->again = false;
      if (!link->over) pump(*link);
    }
    if (crowded_) accept_links();
    if (young_ > 0 || routes_.count > 0) expire(now_ns(CLOCK_MONOTONIC));
    sweep();
  }
  log_line("ends: nothing goes over it any more");
  return 0;
}

}  // namespace mosrun

using namespace mosrun;

int main(int count, char **arguments) {
  log_name = "mosseal";
  if (count == 2 && !strcmp(arguments[1], "--version")) return printf("mosseal %s %s\n", kVersion, OpenSSL_version(OPENSSL_VERSION_STRING)) < 0;
  signal(SIGPIPE, SIG_IGN);
  static Mosseal mosseal;
  const char *step = "TLS";
  int error = !start_tls(find_secret) || !make_room_for_secrets() ? -ENOMEM : 0;
  log_line("encrypts, with OpenSSL %s", OpenSSL_version(OPENSSL_VERSION_STRING));   // the first line, for which the C library opens files
  if (!error) step = "epoll", error = mosseal.start();
  if (!error) error = confine({kCalls, sizeof kCalls / sizeof *kCalls, AF_INET, kSealUsers}, &step);
  if (error) {
    log_line("cannot start (%s): %s", step, strerror(-error));
    return 1;
  }
  return mosseal.run();
}
