// Who comes in by the data port.
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/sha256.h"
#include "tests.h"

using namespace mosrun;

void refuses_strangers() {
  ControlClient control;
  uint64_t session = next_session++;
  control.ask("open " + session_name(session) + " " + token_of(5).hex());
  Opening right;
  right.session = session;
  right.token = token_of(5);
  right.begin = begin_for(kPid);

  Opening wrong = right;
  wrong.token = token_of(6);
  int fd = open_channel(wrong);
  CHECK(closed_within(fd, 200));
  close(fd);

  Opening unknown = right;
  unknown.session = 0xdeadbeef;
  CHECK(open_channel(unknown) < 0);

  for (int field = 0; field < 4; field++) {
    Hello hello{kHelloMagic, kProtocol, ChannelKind::thread, 0, session, {}, 0, 0};
    if (field == 0) hello.magic++;
    if (field == 1) hello.protocol++;
    if (field == 2) hello.kind = static_cast<ChannelKind>(4);
    if (field == 3) memset(&hello, 0xee, sizeof hello);
    fd = connect_data();
    send(fd, &hello, sizeof hello, MSG_NOSIGNAL);
    CHECK(closed_within(fd, 200));
    close(fd);
  }
  std::string garbage(100000, '\x5a');
  fd = connect_data();
  CHECK(send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL) > 0);
  CHECK(closed_within(fd, 200));
  close(fd);

  // Truncated: the client goes in the middle.
  fd = connect_data();
  Hello hello{kHelloMagic, kProtocol, ChannelKind::thread, 0, session, {}, 0, 0};
  send(fd, &hello, 17, MSG_NOSIGNAL);
  close(fd);
  fd = connect_data();
  Challenge challenge;
  send(fd, &hello, sizeof hello, MSG_NOSIGNAL);
  CHECK(read_exactly(fd, &challenge, sizeof challenge, 1000));
  send(fd, garbage.data(), 50, MSG_NOSIGNAL);
  close(fd);

  // A proof heard on one connection is worth nothing on another.
  int first = connect_data();
  send(first, &hello, sizeof hello, MSG_NOSIGNAL);
  CHECK(read_exactly(first, &challenge, sizeof challenge, 1000));
  Proof proof{{}, right.begin};
  hmac_sha256(right.token.bytes, 32, proof.mac, hello, challenge, proof.begin);
  int second = connect_data();
  Challenge other;
  send(second, &hello, sizeof hello, MSG_NOSIGNAL);
  CHECK(read_exactly(second, &other, sizeof other, 1000));
  CHECK(memcmp(challenge.nonce, other.nonce, 16) != 0);
  send(second, &proof, sizeof proof, MSG_NOSIGNAL);
  CHECK(closed_within(second, 200));
  // A byte of Begin changed on the way.
  Proof bent = proof;
  bent.begin.base += kSlotSize;
  send(first, &bent, sizeof bent, MSG_NOSIGNAL);
  CHECK(closed_within(first, 200));
  close(first);
  close(second);

  // The key of the memory channel opens that one and no other, and the token itself does not open it.
  Opening memory = right;
  memory.kind = ChannelKind::memory;
  memory.index = 9;
  fd = open_channel(memory);
  CHECK(closed_within(fd, 200));
  close(fd);
  Opening stolen = right;
  hmac_sha256(right.token.bytes, 32, stolen.token.bytes, MemoryLabel{});
  fd = open_channel(stolen);
  CHECK(closed_within(fd, 200));
  close(fd);
  memory.token = stolen.token;
  fd = open_channel(memory);
  CHECK(welcome(fd) == 0);
  close(fd);
  right.begin.memory = memory.index;

  // All that did not hurt: the right one comes in, a second leader does not, and then the session is over.
  fd = open_channel(right);
  CHECK(welcome(fd) == 0);
  int again = open_channel(right);
  CHECK(again < 0 || closed_within(again, 200));
  if (again >= 0) close(again);
  close(fd);
  CHECK(within(kSoon, nobody_left));
  CHECK(within(kSoon, [&] {
    int late = open_channel(right);   // until mosgate has reaped
    if (late >= 0) close(late);
    return late < 0;
  }));
}

void opens_only_its_own() {
  ControlClient control;
  Guest one(control, next_session++), two(control, next_session++);
  // Whoever hosts a session elsewhere, or was told of one here, knows its own token and the other's number.
  for (ChannelKind kind : {ChannelKind::thread, ChannelKind::event, ChannelKind::spare}) {
    Opening mixed;
    mixed.session = one.session;
    mixed.token = token_of(static_cast<int>(two.session));
    mixed.kind = kind;
    mixed.index = 3;
    int fd = open_channel(mixed);
    CHECK(welcome(fd, 500) < 0);
    if (fd >= 0) close(fd);
  }
  int guessed = 0;
  for (int guess = 0; guess < 300; guess++) {
    Opening wrong;
    wrong.session = one.session;
    wrong.kind = ChannelKind::spare;
    for (uint8_t &byte : wrong.token.bytes) byte = static_cast<uint8_t>(rand());
    int fd = open_channel(wrong);
    guessed += fd >= 0 && !closed_within(fd, 500);
    if (fd >= 0) close(fd);
  }
  CHECK(guessed == 0);
  Opening right;
  right.session = one.session;
  right.token = token_of(static_cast<int>(one.session));
  right.kind = ChannelKind::spare;
  right.index = 3;
  int fd = open_channel(right);
  CHECK(welcome(fd) == 0);
  close(fd);
  CHECK(one.call({SYS_getpid}) == kPid && two.call({SYS_getpid}) == kPid);
}

void bears_slow_strangers() {
  ControlClient control;
  std::vector<int> idle;
  for (int i = 0; i < 150; i++) idle.push_back(connect_data());
  double start = now_ms();
  Guest guest(control, next_session++);
  CHECK(guest.fd >= 0);
  CHECK(now_ms() - start < 2500);
  int slow = connect_data();
  uint64_t magic = kHelloMagic;
  start = now_ms();
  send(slow, &magic, sizeof magic, MSG_NOSIGNAL);
  for (int fd : idle) close(fd);
  CHECK(closed_within(slow, 7000));
  CHECK(now_ms() - start > 400);
  close(slow);
}

void keeps_tokens_to_itself() {
  ControlClient control;
  Guest first(control, next_session++), second(control, next_session++);
  // All that the second one's keeper can write to holds neither session's token.
  std::string secrets[] = {std::string(reinterpret_cast<char *>(token_of(static_cast<int>(first.session)).bytes), 32), token_of(static_cast<int>(first.session)).hex(),
                           std::string(reinterpret_cast<char *>(token_of(static_cast<int>(second.session)).bytes), 32)};
  CHECK(keepers().size() == 2);
  for (pid_t keeper : keepers()) {
    std::string maps = read_text("/proc/" + std::to_string(keeper) + "/maps");
    int memory = open(("/proc/" + std::to_string(keeper) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    CHECK(memory >= 0);
    size_t seen = 0;
    for (size_t at = 0; at < maps.size(); at = maps.find('\n', at) + 1) {
      unsigned long from, to;
      char rights[5];
      if (sscanf(maps.c_str() + at, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[1] != 'w' || to - from > (64 << 20)) continue;
      std::string content(to - from, 0);
      ssize_t got = pread(memory, content.data(), content.size(), static_cast<off_t>(from));
      if (got > 0) seen += static_cast<size_t>(got);
      for (const std::string &secret : secrets) CHECK(!has(content, secret));
    }
    CHECK(seen > 10000);
    close(memory);
  }
}

void passes_channels() {
  ControlClient control;
  uint64_t session = next_session++;
  Guest guest(control, session, false);
  CHECK(guest.last.event == 0 && guest.fd >= 0);
  Opening opening;
  opening.session = session;
  opening.token = token_of(static_cast<int>(session));
  struct { ChannelKind kind; uint16_t index; } wanted[] = {{ChannelKind::event, 0}, {ChannelKind::thread, 1}, {ChannelKind::thread, 2}, {ChannelKind::spare, 7}};
  for (auto &each : wanted) {
    opening.kind = each.kind;
    opening.index = each.index;
    int fd = open_channel(opening);
    CHECK(welcome(fd) == 0);
    // recvmsg in the guest: msghdr at kBuffer, then iovec, message and control.
    guest.call({SYS_getpid});
    uint64_t message[7] = {0, 0, kBuffer + 64, 1, kBuffer + 128, 64, 0}, part[2] = {kBuffer + 96, sizeof(PoolMessage)};
    std::string buffer(192, 0);
    memcpy(buffer.data(), message, sizeof message);
    memcpy(buffer.data() + 64, part, sizeof part);
    guest.put(buffer);
    CHECK(guest.call({SYS_recvmsg, static_cast<uint64_t>(guest.last.pool), kBuffer, 0}) == sizeof(PoolMessage));
    std::string got = guest.get(192);
    PoolMessage pool;
    memcpy(&pool, got.data() + 96, sizeof pool);
    CHECK(pool.type == PoolType::channel && pool.kind == each.kind && pool.index == each.index);
    int channel;
    memcpy(&channel, got.data() + 128 + 16, sizeof channel);
    guest.put("hello");
    CHECK(guest.call({SYS_sendto, static_cast<uint64_t>(channel), kBuffer, 5, 0, 0, 0}) == 5);
    char text[5];
    CHECK(read_exactly(fd, text, 5, 1000) && !memcmp(text, "hello", 5));
    if (each.kind == ChannelKind::event) guest.event = fd;
    else close(fd);
  }
}
