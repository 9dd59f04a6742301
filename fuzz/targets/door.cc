// mosgate's data port: hello and proof of connections that have proved nothing yet (native/gate/arrivals.cc).
#include <string.h>

#include "libc.h"

#define private public
#include "gate/gate.h"
#undef private

#include "engine/sha256.h"


using namespace mosrun;
using namespace mosrun::model;

namespace {

constexpr uint64_t kSession = 0x1122334455667788;
constexpr uint8_t kForge = 1, kAgain = 2, kSealed = 4;   // flags of an input: let the proof be right; come as if the session had begun; or were encrypted

struct Known {
  Gate gate{GateOptions{"127.0.0.1", 1, "/run/gate.sock", "/usr/libexec", false}};
  uint8_t token[32] = {1, 2, 3};
  Session session;
};

// What the right answer to the challenge would be, put in place of the input's.
void forge(Arrival &arrival, const uint8_t (&token)[32], std::string &proof) {
  Begin begin;
  memcpy(&begin, proof.data() + 32, sizeof begin);
  uint8_t mac[32];
  uint8_t key[32];
  memcpy(key, token, sizeof key);
  if (arrival.hello.kind == ChannelKind::memory) hmac_sha256(token, sizeof token, key, MemoryLabel{});
  hmac_sha256(key, sizeof key, mac, arrival.hello, arrival.challenge, begin);
  memcpy(proof.data(), mac, sizeof mac);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  static Known &known = *new Known;
  begin(data + 2, size - 2);
  model::libc.portion = data[1];
  model::libc.blocks = true;
  known.session.~Session();
  new (&known.session) Session{};
  known.session.id = kSession;
  known.session.token = known.token;
  known.session.state = data[0] & kAgain ? SessionState::running : SessionState::open;
  known.session.sealed = data[0] & kSealed;
  known.session.socket = model::libc.next++;
  known.gate.sessions_.clear();
  known.gate.sessions_.add(&known.session);
  Arrival arrival{};
  arrival.fd = model::libc.next++;
  std::string proof;
  bool first = known.session.state == SessionState::open;
  for (size_t left = ~size_t{0}; !arrival.over && left != model::libc.left;) {
    left = model::libc.left;
    if (arrival.said_hello && proof.empty() && data[0] & kForge && left >= sizeof(Proof) && !arrival.have) {
      proof.assign(reinterpret_cast<const char *>(model::libc.input), sizeof(Proof));
      forge(arrival, known.token, proof);
      model::libc.input = reinterpret_cast<const uint8_t *>(proof.data());
      model::libc.left = sizeof(Proof);
      left = ~size_t{0};
    }
    known.gate.read_arrival(arrival);
    require(arrival.have <= sizeof(Proof), "more was read than there is room for", long(arrival.have));
  }
  bool let_in = arrival.fd < 0;
  require(!let_in || !known.session.sealed, "an encrypted session took a connection in the clear");
  require(!let_in || !proof.empty(), "a connection without the right proof was let in");
  require(let_in == (model::libc.descriptors_sent > 0), "what is let in goes to the keeper, and nothing else does");
  bool begins = arrival.hello.kind == ChannelKind::memory || (arrival.hello.kind == ChannelKind::thread && !arrival.hello.index);
  require(!let_in || first || !begins, "a guest was begun twice");
  require(model::libc.sent.size() <= sizeof(Challenge) + sizeof(Welcome), "more was said than an answer", long(model::libc.sent.size()));
  model::libc.active = false;
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (uint8_t flags : {0, 1, 3, 5}) {
    for (ChannelKind kind : {ChannelKind::thread, ChannelKind::event, ChannelKind::spare, ChannelKind::memory}) {
      Hello hello{kHelloMagic, kProtocol, kind, 0, kSession, {1}, 77, 0};
      Proof proof{};
      proof.begin.pid = 77;
      std::string text{char(flags), 0};
      text.append(reinterpret_cast<char *>(&hello), sizeof hello).append(reinterpret_cast<char *>(&proof), sizeof proof);
      all.push_back(text);
    }
  }
  return all;
}

namespace mosrun {

// Of other parts of mosgate, which take no part.
uint64_t start_time_of(pid_t) { return 1; }
Usage usage_of(pid_t) { return {}; }
pid_t clone_keeper(int, int, int *) { return -EAGAIN; }
int Caches::make(uint64_t) { return -1; }
size_t Caches::most() { return 1; }
void Caches::drop(size_t) {}
pid_t start_freezer(int, int, int *) { return -EAGAIN; }
void Gate::give_keys(const Session &) {}
void Gate::forget_keys(const Session &) {}
void Gate::seal_arrival(Arrival &arrival) { arrival.over = true; }
void Gate::answer_open(Session &, int, const char *) {}
void Gate::tell_all(const Session &, const char *, const char *) {}

}  // namespace mosrun
