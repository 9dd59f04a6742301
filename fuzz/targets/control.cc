// mosgate's control socket: a command a line (native/gate/control.cc).
#include <errno.h>
#include <string.h>

#include "libc.h"

#define private public
#include "gate/gate.h"
#undef private

using namespace mosrun;
using namespace mosrun::model;

namespace {

unsigned keepers;

// One document, or several, each a line; every quote closed.
void check_answers(const std::string &text) {
  bool quoted = false;
  int depth = 0;
  for (char c : text) {
    require(static_cast<unsigned char>(c) >= 32 || c == '\n', "an answer has a control character", c);
    if (c == '"') quoted = !quoted;
    if (!quoted) depth += (c == '{') - (c == '}');
    require(depth >= 0 && (c != '\n' || (!quoted && !depth)), "an answer is no whole document");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  begin(data + 1, size - 1);
  model::libc.portion = data[0];
  keepers = 0;
  static Gate &gate = *new Gate{GateOptions{"127.0.0.1", 1, "/run/gate.sock", "/usr/libexec", false}};   // keeps its table of tokens
  static Client client;
  gate.quit_ = false;
  gate.sessions_.clear();
  gate.clients_.clear();
  client.~Client();
  new (&client) Client{};
  client.id = 1;
  client.fd = model::libc.next++;
  client.descriptor = -1;
  gate.clients_.add(&client);
  while (!client.over && model::libc.left && !gate.quit_) {
    gate.read_control(client);
    require(client.have <= sizeof client.input, "more was read than there is room for", long(client.have));
    if (client.waiting) {                                               // the keeper says that it is ready
      client.waiting = false;
      gate.run_lines(client);
    }
  }
  check_answers(model::libc.sent);
  require(gate.sessions_.count <= keepers, "a session without a keeper", long(gate.sessions_.count));
  for (int pid : model::libc.killed) require(pid >= 1000, "something else than a keeper was killed", pid);
  for (Session *session : gate.sessions_) {
    session->~Session();
    free(session);
  }
  model::libc.active = false;
  return 0;
}

std::vector<std::string> seeds() {
  std::string token(64, 'a');
  const std::string none(2, 0), with("\0\1", 2);   // a descriptor comes along, or not
  return {none + "ping\n", with + "open 00000000000000aa " + token + "\npass 00000000000000aa 77 3\n", none + "open 00000000000000aa " + token + " 1000000 /sys/fs/cgroup/x\nlist\nkill 00000000000000aa\nquit\n",
          std::string("\3\0", 2) + "open 00000000000000aa " + token + "\nopen 00000000000000aa " + token + "\nlist\n", none + "open x y z\nfoo\n\n",
          none + "open 00000000000000aa " + token + " 1 - sealed\nroute 00000000000000ab memory " + token + " 10.0.0.1 7071\nunroute 00000000000000ab\n"};
}

namespace mosrun {

int Gate::need_seal() { return 0; }
void Gate::give_keys(const Session &) {}
void Gate::forget_keys(const Session &) {}
int Gate::make_route(uint64_t, bool, uint8_t (&)[32], uint32_t, uint16_t port) {
  require(port != 0, "a way to nowhere");
  return 0;
}
void Gate::drop_route(uint64_t) {}
uint64_t start_time_of(pid_t) { return 1; }
Usage usage_of(pid_t) { return {}; }
int Caches::make(uint64_t) { return -1; }
size_t Caches::most() { return 1; }
void Caches::drop(size_t) {}
pid_t clone_keeper(int, int, int *gate_end) {
  *gate_end = model::libc.next++;
  return 1000 + int(++keepers);
}
pid_t start_freezer(int, int, int *gate_end) { return clone_keeper(-1, -1, gate_end); }

}  // namespace mosrun
