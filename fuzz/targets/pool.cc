// A keeper hears its guest: messages of any code in the guest on the socket to pid 1 (native/gate/keeper.cc, watch.cc).
#include <string.h>

#include "libc.h"

#define private public
#include "gate/keeper.cc"
#undef private

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  begin(data + 1, size - 1);
  model::libc.blocks = true;
  {
    Keeper keeper(model::libc.next++, model::libc.next++, model::libc.next++, -1);
    keeper.pool_ = model::libc.next++;
    keeper.leader_ = 2;
    keeper.watches_.add_channel({PoolType::channel, ChannelKind::event, 0, 0, 2}, model::libc.next++, 2);
    for (uint16_t spare = 1; spare < 4; ++spare) {
      keeper.watches_.add_channel({PoolType::channel, ChannelKind::spare, spare, 0, 2}, model::libc.next++, 2);
      keeper.passing_.add({{PoolType::channel, ChannelKind::spare, spare, 0, 2}, model::libc.next++});
    }
    unsigned opened_before = model::libc.opened;
    for (size_t left = ~size_t{0}; model::libc.left && left != model::libc.left;) {
      left = model::libc.left;
      keeper.hear_guest();
      if (data[0] & 1) keeper.pass_on();
    }
    for (int pid : model::libc.killed) require(pid > 1, "the keeper ends itself, or more than one process", pid);
    require(keeper.pools_.count <= kPoolsMax && keeper.passing_.count <= 3, "the keeper's lists grow", long(keeper.pools_.count));
    require(keeper.watches_.list_.count <= 4, "a guest adds to what is watched", long(keeper.watches_.list_.count));
    // Each descriptor is closed or kept: a pool for each of the guest's processes, a pidfd for each watched process.
    unsigned pidfds = 0;
    for (Watch &watch : keeper.watches_.list_) pidfds += watch.pidfd >= 0;
    require(model::libc.opened - opened_before <= model::libc.closed + keeper.pools_.count + pidfds, "descriptors are lost", long(model::libc.opened));
  }
  model::libc.active = false;
  return 0;
}

std::vector<std::string> seeds() {
  auto message = [](bool with, PoolMessage m) { return std::string(1, char(with)).append(reinterpret_cast<char *>(&m), sizeof m); };
  return {std::string(1, 1) + message(false, {PoolType::watch, ChannelKind::thread, 0, 2, 2}) + message(false, {PoolType::watch, ChannelKind::event, 1, 5, 2}) +
          message(true, {PoolType::pool, ChannelKind::spare, 0, 5, 5}) + message(false, {PoolType::watch, ChannelKind::thread, 2, 5, 2}) +
          message(true, {PoolType::channel, ChannelKind::spare, 3, 1, 2}) + message(false, {PoolType::watch, ChannelKind::event, 77, 6, 2})};
}

namespace mosrun {

void answer_own_file(int, int) {}
int make_sandbox(Sandbox &, const char **) { return 0; }
int start_guest(Sandbox &, const GuestStart &) { return 3; }
int drop_keeper_rights() { return 0; }

}  // namespace mosrun
