// A process that is frozen: what its node sends, and what of it goes home and on (native/freezer/process.cc).
#include <errno.h>
#include <string.h>

#include <string>
#include <vector>

#include "freezer/process.h"
#include "libc.h"

using namespace mosrun;
using namespace mosrun::model;

namespace {

class Bytes final : public Source, public Sink {
 public:
  std::string all;
  size_t at = 0;
  int read(void *data, size_t size) override {
    if (size > all.size() - at) return -EPIPE;
    memcpy(data, all.data() + at, size);
    at += size;
    return 0;
  }
  int write(const void *data, size_t size) override {
    all.append(static_cast<const char *>(data), size);
    return 0;
  }
};

class Home final : public HomeSinks {
 public:
  explicit Home(const FrozenProcess &process) : process_(process) {}
  int park(uint16_t index, bool last, const void *slot, size_t size) override {
    require(!over_ && index < process_.slots && size > sizeof(Slot) && size <= sizeof(Slot) + kFrameSize, "a thread that cannot be", index);
    require(static_cast<const Slot *>(slot)->frame_length == size - sizeof(Slot), "a thread whose frame is another");
    over_ = last;
    parked++;
    return 0;
  }
  int begin_memory(uint64_t) override {
    require(over_, "memory before the last thread");
    return 0;
  }
  Sink &memory() override { return sent; }
  Bytes sent;
  size_t parked = 0;

 private:
  const FrozenProcess &process_;
  bool over_ = false;
};

// Every page is of a mapping that may have changed, and every record is whole.
void check_memory(Bytes &sent) {
  RecordHeader header{};
  require(!sent.read(&header, sizeof header) && header.type == Record::mappings && header.length == header.count * sizeof(Mapping), "no list of mappings");
  std::vector<Mapping> list(header.count);
  require(!sent.read(list.data(), header.length), "a list that is cut");
  for (;;) {
    require(!sent.read(&header, sizeof header), "memory without an end");
    if (header.type == Record::end) break;
    require(header.type == Record::pages && header.count && header.count <= kRunsMax, "a record that is none of pages");
    std::vector<PageRun> runs(header.count);
    require(!sent.read(runs.data(), header.count * sizeof(PageRun)), "runs that are cut");
    uint64_t bytes = header.count * sizeof(PageRun);
    for (const PageRun &run : runs) {
      bool inside = false;
      for (const Mapping &m : list) inside = inside || (m.kind != Kind::other && (m.flags & kWritten) && m.start <= run.address && run.address + run.length <= m.end);
      require(inside || !run.length, "a page that home has itself", long(run.address));
      bytes += run.length;
      sent.at += run.length;
    }
    require(bytes == header.length && sent.at <= sent.all.size(), "a record of another length");
  }
  require(sent.at == sent.all.size(), "bytes behind the end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Bytes from, image, on;
  from.all.assign(reinterpret_cast<const char *>(data), size);
  FrozenProcess process;
  if (take_in(from, image, process, 0)) return 0;
  require(process.living.count && process.living.count <= process.slots && process.slots <= kMaxSlots, "counts beyond their limits");
  require(image.all == from.all.substr(0, from.at), "another image than what came");
  require(!send_on(image, on, 0) && on.all == image.all, "the next node gets something else");
  image.at = 0;
  Home home(process);
  require(!send_home(image, process, home, 0) && home.parked == process.living.count, "not all threads come home");
  // Of lists out of order, which no node of ours makes, nothing is known of what belongs where; home looks for itself.
  check_memory(home.sent);
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  auto put = [](std::string &to, const auto &what) { to.append(reinterpret_cast<const char *>(&what), sizeof what); };
  for (uint32_t threads : {1u, 2u}) {
    std::string text;
    Control state{};
    state.magic = kControlMagic;
    state.protocol = kProtocol;
    state.slots = threads + 1;
    put(text, RecordHeader{Record::state, threads, sizeof state});
    put(text, state);
    for (uint32_t i = 0; i <= threads; i++) {
      Slot slot{};
      slot.state = uint32_t(i < threads ? SlotState::used : SlotState::dying);
      slot.frame_length = i < threads ? 64 : 0;
      put(text, RecordHeader{Record::slot, i, sizeof slot + slot.frame_length});
      put(text, slot);
      text.append(slot.frame_length, 'f');
    }
    const Mapping list[] = {{0x1000, 0x3000, 3, Kind::anon, 0, 0, 0}, {0x3000, 0x5000, 5, Kind::file_private, kLazy | kEager, 0, 0}, {0x5000, 0x6000, 3, Kind::file_private, kWritten, 0, 0}};
    put(text, RecordHeader{Record::mappings, 3, sizeof list});
    put(text, list);
    const PageRun runs[] = {{0x2000, 0x4000}};     // over three mappings, as neighbours are sent
    put(text, RecordHeader{Record::pages, 1, sizeof runs + runs[0].length});
    put(text, runs);
    text.append(runs[0].length, 'p');
    put(text, RecordHeader{Record::end, 0, 0});
    all.push_back(text);
  }
  return all;
}
