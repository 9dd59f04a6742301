// Encrypted sessions. The mosgate of these tests is the one at both ends: its mosseal connects to its own data port.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/sha256.h"
#include "seal/orders.h"
#include "tests.h"

using namespace mosrun;

namespace {

uint32_t route(ControlClient &control, const char *kind, uint64_t session, const Token &key) {
  std::string answer = control.ask("route " + session_name(session) + " " + kind + " " + key.hex() + " 127.0.0.1 " + std::to_string(data_port()));
  size_t at = answer.find("\"seal\":");
  return at == std::string::npos ? 0 : static_cast<uint32_t>(strtoul(answer.c_str() + at + 7, nullptr, 10));
}

// A session as a host opens it, and the way that its home takes.
Opening sealed(ControlClient &control, uint64_t session) {
  Opening opening;
  opening.session = session;
  opening.token = token_of(static_cast<int>(session));
  CHECK(has(control.ask("open " + session_name(session) + " " + opening.token.hex() + " 0 - sealed"), "\"ok\":true"));
  opening.seal = route(control, "session", session, opening.token);
  opening.begin = begin_for(kPid);
  CHECK(opening.seal != 0);
  return opening;
}

bool is_refused(const Opening &opening) {
  int fd = open_channel(opening);
  bool refused = fd < 0 || welcome(fd, 500) < 0;
  if (fd >= 0) close(fd);
  return refused;
}

// Says a Hello to mosseal, and hears why nothing came of it.
int error_of(const Opening &opening) {
  Challenge answer{};
  int fd = open_channel(opening, &answer);
  if (fd >= 0) close(fd);
  return static_cast<int>(answer.error);
}

pid_t seal_of_gate() {
  DIR *processes = opendir("/proc");
  pid_t found = 0;
  while (dirent *entry = readdir(processes)) {
    std::string status = read_text(std::string("/proc/") + entry->d_name + "/status");
    if (has(status, "Name:\tmosseal\n") && has(status, "\nPPid:\t" + std::to_string(gate) + "\n")) found = atoi(entry->d_name);
  }
  closedir(processes);
  return found;
}

std::string field(const std::string &status, const char *name) {
  size_t at = status.find(std::string("\n") + name + ":");
  return at == std::string::npos ? "" : status.substr(at + strlen(name) + 3, status.find('\n', at + 1) - at - strlen(name) - 3);
}

}  // namespace

void seals_sessions() {
  ControlClient control;
  uint64_t session = next_session++;
  Opening right = sealed(control, session);
  CHECK(has(control.ask("list"), "\"sealed\":true"));
  // With the token, but for all to read: not even a challenge.
  Opening raw = right;
  raw.seal = 0;
  for (ChannelKind kind : {ChannelKind::thread, ChannelKind::event, ChannelKind::spare}) {
    raw.kind = kind;
    CHECK(open_channel(raw) < 0);
  }
  raw.kind = ChannelKind::memory;
  hmac_sha256(right.token.bytes, 32, raw.token.bytes, MemoryLabel{});
  CHECK(open_channel(raw) < 0);
  // The memory's key is good for that channel, encrypted, and for no other.
  Opening memory = right;
  memory.kind = ChannelKind::memory;
  memory.index = 9;
  hmac_sha256(right.token.bytes, 32, memory.token.bytes, MemoryLabel{});
  Opening stolen = memory;
  stolen.kind = ChannelKind::spare;
  CHECK(is_refused(stolen));
  memory.seal = route(control, "memory", session, memory.token);
  int carried = open_channel(memory);
  CHECK(welcome(carried) == 0);
  close(carried);
  right.begin.memory = memory.index;
  CHECK(error_of(right) == ENOKEY);                         // the way was for as long as it had a channel
  right.seal = route(control, "session", session, right.token);
  int fd = open_channel(right);
  CHECK(welcome(fd) == 0);
  // And it is a session as any other.
  GuestCall request{GuestWhat::inside, 0, 0, 0, {SYS_getpid}};
  GuestAnswer answer{};
  CHECK(send(fd, &request, sizeof request, MSG_NOSIGNAL) == sizeof request && read_exactly(fd, &answer, sizeof answer, 3000) && answer.result == kPid);
  close(fd);
  CHECK(within(kSoon, nobody_left));
  // A session in the clear takes none that is encrypted: there is no key.
  uint64_t plain = next_session++;
  control.ask("open " + session_name(plain) + " " + token_of(static_cast<int>(plain)).hex());
  Opening hidden;
  hidden.session = plain;
  hidden.token = token_of(static_cast<int>(plain));
  hidden.seal = route(control, "session", plain, hidden.token);
  CHECK(error_of(hidden) == EKEYREJECTED);
  control.ask("kill " + session_name(plain));
  CHECK(within(kSoon, nobody_left));
}

void refuses_wrong_keys() {
  ControlClient control;
  uint64_t session = next_session++, other = next_session++;
  Opening right = sealed(control, session);
  Opening unknown = right;
  unknown.session = other;
  CHECK(error_of(unknown) == ENOKEY);                       // nobody made a way
  unknown.seal = route(control, "session", other, right.token);
  CHECK(error_of(unknown) == EKEYREJECTED);                 // nobody waits there
  Opening wrong = right;
  wrong.seal = route(control, "session", session, token_of(7));
  CHECK(error_of(wrong) == EKEYREJECTED);                   // the later way counts
  CHECK(has(control.ask("unroute " + session_name(session)), "\"ok\":true"));
  wrong.seal = route(control, "memory", session, right.token);
  wrong.kind = ChannelKind::memory;
  CHECK(error_of(wrong) == EKEYREJECTED);                   // the token is not the memory's key
  for (const char *bad : {"route", "route 12 session 34 127.0.0.1 1", "unroute", "unroute xyz"}) CHECK(has(control.ask(bad), "\"ok\":false"));
  // What is no Hello gets no answer.
  int fd = connect_seal(right.seal);
  std::string garbage(sizeof(Hello), 'x');
  send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL);
  CHECK(closed_within(fd, 500));
  close(fd);
  // Nor what only looks like TLS.
  for (size_t size : {1u, 5u, 300u, 100000u}) {
    std::string bytes(size, '\x16');
    memcpy(bytes.data(), "\x16\x03\x01\x02\x00\x01", size < 6 ? size : 6);
    fd = connect_data();
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size > 600) CHECK(closed_within(fd, 1000));   // the others might still go on
    close(fd);
  }
  right.seal = route(control, "session", session, right.token);
  fd = open_channel(right);
  CHECK(welcome(fd) == 0);
  close(fd);
  CHECK(within(kSoon, nobody_left));
  // It is over, and its key with it.
  CHECK(within(kSoon, [&] {
    right.seal = route(control, "session", session, right.token);   // the way is gone with its only channel
    return error_of(right) == EKEYREJECTED;
  }));
}

void confines_mosseal() {
  ControlClient control;
  uint64_t session = next_session++;
  Opening right = sealed(control, session);
  pid_t seal = seal_of_gate();
  CHECK(seal > 0);
  std::string at = "/proc/" + std::to_string(seal), status = read_text(at + "/status");
  std::string user = std::to_string(0x78000000u + static_cast<unsigned>(seal));
  CHECK(field(status, "Uid") == user + "\t" + user + "\t" + user + "\t" + user);
  CHECK(field(status, "Gid") == user + "\t" + user + "\t" + user + "\t" + user);
  CHECK(field(status, "Groups").find_first_not_of(" \t") == std::string::npos);
  for (const char *set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) CHECK(field(status, set) == "0000000000000000");
  CHECK(field(status, "NoNewPrivs") == "1" && field(status, "Seccomp") == "2");
  CHECK(has(read_text(at + "/limits"), "Max core file size        0                    0"));
  // All that it can read of itself holds no token: strangers speak to this program. Its keys come a moment after it is there.
  std::string secret(reinterpret_cast<char *>(right.token.bytes), 32);
  uint8_t key[32];
  hmac_sha256(right.token.bytes, 32, key, SealLabel{});
  int memory = open((at + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  bool has_token = false;
  bool has_key = within(kSoon, [&] {
    std::string maps = read_text(at + "/maps");
    bool found = false;
    for (size_t from = 0; from < maps.size(); from = maps.find('\n', from) + 1) {
      unsigned long begin, end;
      char rights[5];
      if (sscanf(maps.c_str() + from, "%lx-%lx %4s", &begin, &end, rights) != 3 || rights[1] != 'w') continue;
      std::string content(end - begin, 0);
      if (pread(memory, content.data(), content.size(), static_cast<off_t>(begin)) <= 0) continue;
      has_token = has_token || has(content, secret);
      found = found || has(content, std::string(reinterpret_cast<char *>(key), 32));
    }
    return found;
  });
  CHECK(has_key && !has_token);                             // so the search finds what is there
  close(memory);
  control.ask("kill " + session_name(session));
  CHECK(within(kSoon, nobody_left));
}

void bears_slow_handshakes() {
  ControlClient control;
  uint64_t session = next_session++;
  Opening right = sealed(control, session);
  std::vector<int> idle;
  for (int i = 0; i < 150; i++) {
    idle.push_back(connect_data());
    send(idle.back(), "\x16\x03\x01", 3, MSG_NOSIGNAL);
  }
  std::vector<int> silent;
  for (int i = 0; i < 300; i++) silent.push_back(connect_seal(right.seal));
  double start = now_ms();
  int fd = open_channel(right);
  CHECK(welcome(fd) == 0);
  CHECK(now_ms() - start < 4000);
  close(fd);
  for (std::vector<int> *all : {&idle, &silent}) {
    for (int one : *all) {
      CHECK(closed_within(one, 7000));
      close(one);
    }
  }
  CHECK(within(kSoon, nobody_left));
}
