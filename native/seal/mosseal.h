// mosseal: encrypts the channels of a node that are to be encrypted. One process, one thread; programs that are away depend on it, so it outlives
// the mosgate that started it, and ends when nothing goes over it any more.
//
//   deputy ── unix ── mosseal ══ TLS 1.3 over TCP ══ mosgate's data port ── mosseal ── unix ── guest
//
//   tls.cc      what is spoken, and how the keys are proved
//   relay.cc    one open channel
//   links.cc    channels from their first byte to their last
//   mosseal.cc  keys and routes, as mosgate orders; loop
#pragma once
#include "gate/array.h"
#include "orders.h"
#include "relay.h"
#include "stub/wire.h"
#include "tls.h"

namespace mosrun {

inline constexpr unsigned kHellosMax = 256;              // of this node, that have not said for which session
inline constexpr int64_t kNs = 1000000000;
inline constexpr int64_t kHelloTime = 5 * kNs, kHelloTimeCrowded = kNs / 2;
inline constexpr int64_t kConnectTime = 30 * kNs;        // whoever waits gives up before
inline constexpr int64_t kRouteTime = 120 * kNs;         // that nobody takes: a launcher may be waited for

struct Route {
  Secret secret;
  uint32_t address;
  uint16_t port;
  unsigned users;                // channels; with the last one it is forgotten
  int64_t expires;               // CLOCK_MONOTONIC ns; counts as long as nobody has used it
};

// hello: of this node, its first words are awaited. connecting, shaking: of TCP and TLS, either way.
enum class Stage { hello, connecting, shaking, open };

struct Link {
  Relay relay;
  Stage stage = Stage::hello;
  bool outgoing = false, over = false, again = false, awaits_plain = false;
  int64_t since = 0;
  Route *route = nullptr;        // outgoing
  Identity told{};               // incoming: what its key is for
  uint64_t arrival = 0;
  Hello hello{};
  size_t have = 0;
};

class Mosseal {
 public:
  int start();                   // 0, or -errno
  int run();

 private:
  // mosseal.cc
  void hear_gate();
  void obey(const SealMessage &message, int fd);
  void lose_gate();
  bool report(SealState state, const Link *link, int fd);
  Route *route_to(const Hello &hello);
  void expire(int64_t now);
  int64_t patience(int64_t now);

  // links.cc
  void accept_links();
  Link *add_link(bool outgoing);
  bool watch(Link &link, bool wire);
  void take_arrival(int fd, uint64_t arrival);
  void attend(Link &link, bool wire, uint32_t events);
  void read_hello(Link &link);
  void connect_wire(Link &link);
  void shake(Link &link);
  void open_up(Link &link);
  void pump(Link &link);
  void refuse(Link &link, int error);   // says why, if this side may be told
  void end(Link &link);
  int64_t deadline(const Link &link) const;
  void sweep();

  int epoll_ = -1;
  bool has_gate_ = true;
  bool crowded_ = false;         // not all were accepted
  unsigned hellos_ = 0;          // links whose stage that is
  unsigned young_ = 0;           // those that are not open
  unsigned over_ = 0;
  Array<Link *> links_;
  Array<Link *> again_;          // their turn was over before they were
  Array<Route *> routes_;
};

}  // namespace mosrun
