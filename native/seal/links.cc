#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <new>

#include "engine/log.h"
#include "gate/sockets.h"
#include "mosseal.h"

namespace mosrun {

void Mosseal::accept_links() {
  for (;;) {
    crowded_ = hellos_ >= kHellosMax;
    if (crowded_) return;
    int fd = accept4(kSealListener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      crowded_ = errno != EAGAIN;        // no descriptor left, and nothing will say when there is one
      return;
    }
    Link *link = add_link(true);
    if (!link) {
      close(fd);
      return;
    }
    hellos_++;
    link->relay.plain = fd;
    if (!watch(*link, false)) end(*link);
  }
}

Link *Mosseal::add_link(bool outgoing) {
  void *memory = malloc(sizeof(Link));
  if (!memory) return nullptr;
  auto *link = new (memory) Link;
  if (!links_.add(link)) {
    free(memory);
    return nullptr;
  }
  link->outgoing = outgoing;
  young_++;
  link->since = now_ns(CLOCK_MONOTONIC);
  return link;
}

// By edges: what is ready is read until nothing is left. A unix socket says at every message taken that it has room, so it is asked only when it had none.
bool Mosseal::watch(Link &link, bool wire) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (wire ? EPOLLOUT : 0u);
  event.data.u64 = reinterpret_cast<uint64_t>(&link) | (wire ? 1 : 0);
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, wire ? link.relay.wire : link.relay.plain, &event) == 0;
}

void Mosseal::take_arrival(int fd, uint64_t arrival) {
  Link *link = add_link(false);
  if (!link) {
    close(fd);
    return;                              // the gate gives it up by itself
  }
  link->arrival = arrival;
  link->relay.wire = fd;
  link->stage = Stage::shaking;
  link->relay.ssl = sealed_in(fd, &link->told);
  if (!link->relay.ssl || prepare_channel(fd) < 0 || set_blocking(fd, false) < 0 || !watch(*link, true)) return refuse(*link, ENOMEM);
  shake(*link);
}

void Mosseal::attend(Link &link, bool wire, uint32_t events) {
  if (link.over) return;
  bool hung = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  if (!wire && hung) link.relay.plain_hung = true;
  switch (link.stage) {
    case Stage::hello:
      return read_hello(link);
    case Stage::connecting:
    case Stage::shaking:
      if (!wire) {
        if (hung) end(link);             // whoever wanted it has given up
      } else if (link.stage == Stage::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(link.relay.wire, SOL_SOCKET, SO_ERROR, &error, &size) || error) return refuse(link, error ? error : EIO);
        if (!(events & EPOLLOUT)) return;
        link.stage = Stage::shaking;
        link.relay.ssl = sealed_out(link.relay.wire, &link.route->secret);
        if (!link.relay.ssl) return refuse(link, ENOMEM);
        shake(link);
      } else {
        shake(link);
      }
      return;
    case Stage::open:
      return pump(link);
  }
}

void Mosseal::read_hello(Link &link) {
  ssize_t got = recv(link.relay.plain, reinterpret_cast<char *>(&link.hello) + link.have, sizeof link.hello - link.have, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return end(link);
  link.have += static_cast<size_t>(got);
  if (link.have < sizeof link.hello) return;
  if (link.hello.magic != kHelloMagic || link.hello.kind > ChannelKind::memory) return end(link);
  hear_gate();                           // its route may have been ordered a moment ago
  connect_wire(link);
}

void Mosseal::connect_wire(Link &link) {
  link.stage = Stage::connecting;
  link.since = now_ns(CLOCK_MONOTONIC);
  hellos_--;
  link.route = route_to(link.hello);
  if (!link.route) return refuse(link, ENOKEY);
  link.route->users++;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return refuse(link, errno);
  link.relay.wire = fd;
  if (int error = prepare_channel(fd)) return refuse(link, -error);
  if (int error = set_blocking(fd, false)) return refuse(link, -error);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = link.route->address;
  to.sin_port = link.route->port;
  if (connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) && errno != EINPROGRESS) return refuse(link, errno);
  if (!watch(link, true)) return refuse(link, errno);
}

void Mosseal::shake(Link &link) {
  switch (shake_hands(link.relay.ssl)) {
    case Shaken::not_yet: return;
    case Shaken::no: return refuse(link, EKEYREJECTED);
    case Shaken::yes: return open_up(link);
  }
}

void Mosseal::open_up(Link &link) {
  link.stage = Stage::open;
  young_--;
  if (link.outgoing) {
    if (!link.relay.begin_with(&link.hello, sizeof link.hello)) return refuse(link, ENOMEM);
  } else {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair)) return refuse(link, errno);
    link.relay.plain = pair[0];
    bool told = watch(link, false) && report(SealState::sealed, &link, pair[1]);
    close(pair[1]);
    if (!told) return end(link);
  }
  pump(link);
}

void Mosseal::pump(Link &link) {
  Relay::After after = link.relay.pump();
  if (after == Relay::After::over) return end(link);
  if (after == Relay::After::again && !link.again) link.again = again_.add(&link);
  if (link.awaits_plain == link.relay.plain_is_full()) return;
  link.awaits_plain = !link.awaits_plain;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (link.awaits_plain ? EPOLLOUT : 0u);
  event.data.u64 = reinterpret_cast<uint64_t>(&link);
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, link.relay.plain, &event)) end(link);
}

// Until the round is over: events may still name it.
void Mosseal::end(Link &link) {
  if (!link.over) over_++;
  link.over = true;
}

// Of its own node, the one that wanted the channel is told; it takes that for the gate's answer. A stranger hears nothing but what TLS has said.
void Mosseal::refuse(Link &link, int error) {
  end(link);
  if (link.outgoing) {
    Challenge answer{};
    answer.magic = kHelloMagic;
    answer.protocol = link.hello.protocol;
    answer.error = static_cast<uint32_t>(error);
    send(link.relay.plain, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT);
  } else {
    if (link.told.session) log_line("session %016lx: a channel with a wrong key was refused", link.told.session);
    report(SealState::failed, &link, -1);
  }
}

int64_t Mosseal::deadline(const Link &link) const {
  switch (link.stage) {
    case Stage::hello: return link.since + (hellos_ >= kHellosMax ? kHelloTimeCrowded : kHelloTime);
    case Stage::connecting:
    case Stage::shaking: return link.since + kConnectTime;
    case Stage::open: break;
  }
  return INT64_MAX;
}

void Mosseal::sweep() {
  for (size_t i = links_.count; over_ > 0 && i-- > 0;) {
    Link *link = links_[i];
    if (!link->over) continue;
    over_--;
    if (link->stage == Stage::hello) hellos_--;
    if (link->stage != Stage::open) young_--;
    if (link->route && --link->route->users == 0) link->route->expires = 0;
    for (size_t at = again_.count; link->again && at-- > 0;)
      if (again_[at] == link) again_.remove(at);
    link->~Link();
    free(link);
    links_[i] = links_[links_.count - 1];
    links_.count--;
  }
}

}  // namespace mosrun
