// A deputy opens a channel to the hosting node's data port: the challenge and the welcome (native/stub/channel.cc).
#include "model.h"

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::home, data, size)) return 0;
  set_up_slot(0, 77, kChannel);
  Spare spare{-1, 0};
  i64 result = -1;
  world.keep_sent = true;
  End end = run([&] { result = open_spare(spare); });
  if (end == End::returned) require((result == 0) == (spare.fd >= 0), "a channel is there if and only if it was opened", u64(result));
  if (!result) {
    Challenge challenge;
    Welcome welcome;
    require(size >= sizeof(Manner) + sizeof challenge + sizeof welcome, "a channel was opened by too few bytes", size);
    copy(&challenge, data + sizeof(Manner), sizeof challenge);
    copy(&welcome, data + sizeof(Manner) + sizeof challenge, sizeof welcome);
    require(challenge.magic == kHelloMagic && challenge.protocol == kProtocol && !challenge.error && welcome.magic == kHelloMagic && !welcome.status, "a channel was opened by a wrong word");
  }
  require(world.sent.size() <= sizeof(Hello) + sizeof(Proof), "more was said than hello and proof", world.sent.size());
  return 0;
}

std::vector<std::string> seeds() {
  Bytes b;
  Challenge challenge{};
  challenge.magic = kHelloMagic;
  challenge.protocol = kProtocol;
  b.put(challenge).put(Welcome{kHelloMagic, 0, 0});
  return {b.text};
}
