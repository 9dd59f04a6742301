// A mover opens a channel to another node's data port: challenge and welcome (native/engine/channel.cc).
#include <string.h>
#include <sys/socket.h>

#include "libc.h"

#include "engine/channel.h"

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  begin(data + 2, size - 2);
  model::libc.portion = data[0];
  Session session;
  session.id = 7;
  memset(session.token, 0x5a, sizeof session.token);
  session.own_clock = data[1] & 1;
  session.seal = data[1] & 8 ? 5 : 0;
  Begin start{};
  start.realtime_offset = data[1] & 2 ? INT64_MAX : 1;
  Opened opened = open_channel(session, data[1] & 4 ? ChannelKind::spare : ChannelKind::thread, 0, data[1] & 4 ? nullptr : &start, 0);
  require((opened.fd >= 0) == !opened.error, "a channel is there if and only if it was opened", opened.error);
  require(opened.error || size >= 2 + sizeof(Challenge), "a channel was opened by too few bytes");
  require(!opened.error || model::libc.sent.size() <= sizeof(Hello), "a proof for a wrong challenge", opened.error);
  require(model::libc.sent.find(std::string(32, '\x5a')) == std::string::npos, "the token goes over the channel");
  if (!opened.error) await_welcome(opened.fd, 0);
  require(model::libc.opened - model::libc.closed <= unsigned(opened.fd >= 0), "descriptors are lost", long(model::libc.opened));
  model::libc.active = false;
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (char flags : {0, 1, 3, 4, 8}) {
    Challenge challenge{};
    challenge.magic = kHelloMagic;
    challenge.protocol = kProtocol;
    challenge.realtime = 1700000000000000000;
    Welcome welcome{kHelloMagic, 0, 0};
    all.push_back(std::string{0, flags}.append(reinterpret_cast<char *>(&challenge), sizeof challenge).append(reinterpret_cast<char *>(&welcome), sizeof welcome));
  }
  return all;
}
