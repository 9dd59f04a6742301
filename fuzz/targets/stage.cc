// Memory comes home from a hosting node while the process still runs there: mappings, pages (native/stub/stage.cc).
#include "engine/known.h"
#include "model.h"

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::home, data, size)) return 0;
  set_up_slot(0, 77, kChannel);
  Control &c = control();
  c.phase = u32(Phase::away);
  c.stage = u32(Coming::coming);
  c.stage_number = 7;
  add_mapping(kWindow, kWindow + 0x8000, prot_read);
  add_mapping(kWindow + 0x20000, kWindow + 0x28000, prot_read | prot_write);
  add_mapping(kModelBase - 0x10000, kModelBase, prot_read | prot_write);     // right before the stub
  add_mapping(0x7ffd00000000, 0x7ffd00021000, prot_read | prot_write, true);
  i64 result = -1;
  End end = run([&] { result = take_ahead(kSpare); });
  require(c.magic == kControlMagic && c.base == kModelBase && c.threads == 1 && c.slots == 1, "the control data have changed");
  require(c.staged <= kAheadListMax, "the list of what has come is beyond its place", c.staged);
  for (u64 i = 0; i < c.staged; ++i) {
    const Mapping &m = ahead_list()[i];
    require(m.start < m.end && !overlaps_region(m.start, m.end - m.start) && (!i || ahead_list()[i - 1].end <= m.start), "what has come is not in order", m.start, m.end);
  }
  require(end != End::returned || result || c.staged <= kAheadListMax, "it has come");
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (u64 at : {kWindow + 0x20000, kWindow + 0x24000, kModelBase - 0x14000}) {
    Bytes b;
    if (at & 0x4000) {                                                  // over four channels, which home opens
      Challenge challenge{};
      challenge.magic = kHelloMagic;
      challenge.protocol = kProtocol;
      b.put(RecordHeader{Record::streams, kStreams - 1, 0});
      for (u32 i = 1; i < kStreams; ++i) b.put(challenge).put(Welcome{kHelloMagic, 0, 0});
    }
    const Mapping m{at, at + 0x8000, 0, Kind::anon, 0, 0};
    b.put(RecordHeader{Record::stage, 1, sizeof m}).put(m);
    if (!(at & 0x4000)) {                                               // home is asked for pages, two of which are all zeros
      PageHash other{{1, 2, 3, 4}};
      b.put(RecordHeader{Record::known, 0, sizeof(PageKey)}).put(PageKey{});
      b.put(RecordHeader{Record::known, 2, 2 * sizeof(PageRun) + 4 * sizeof(PageHash)}).put(PageRun{at, 0x3000}).put(PageRun{at + 0x4000, 0x1000});
      b.put(PageHash{}).put(other).put(other).put(PageHash{});
    }
    b.put(RecordHeader{Record::pages, 1, sizeof(PageRun) + 64}).put(PageRun{at, 64}).fill(64, 'p');
    b.put(RecordHeader{Record::stage, 1, sizeof m}).put(m);
    // A page of zeros, as one literal and one long match.
    std::string block = std::string("\x1f\0\1\0", 4) + std::string(15, '\xff') + std::string("\xf6\x50\0\0\0\0\0", 7);
    b.put(RecordHeader{Record::packed, 1, sizeof(PageRun) + block.size()}).put(PageRun{at, 0x1000});
    b.text += block;
    b.put(RecordHeader{Record::ahead, 7 | kStageBit, 0});
    all.push_back(b.text);
  }
  return all;
}
