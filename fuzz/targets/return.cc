// The memory comes home from a hosting node: mappings, pages (native/stub/home.cc).
#include "model.h"

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::home, data, size)) return 0;
  set_up_slot(0, 77, kChannel);
  Control &c = control();
  c.phase = u32(Phase::returning);
  c.parked = c.threads;
  c.inside = 1;
  add_mapping(kWindow, kWindow + 0x8000, prot_read);
  add_mapping(kWindow + 0x8000, kWindow + 0x10000, prot_read | prot_write);
  add_mapping(kWindow + 0x20000, kWindow + 0x28000, prot_read | prot_write);
  add_mapping(0x555500000000, 0x555500010000, prot_read | prot_write);
  add_mapping(kModelBase - 0x10000, kModelBase, prot_read | prot_write);     // right before the stub
  add_mapping(0x7ffd00000000, 0x7ffd00021000, prot_read | prot_write, true);
  i64 result = -1;
  End end = run([&] { result = receive_home(kSpare); });
  require(c.magic == kControlMagic && c.base == kModelBase && c.threads == 1 && c.slots == 1, "the control data have changed");
  require(end != End::returned || (c.phase == u32(Phase::home)) == !result, "it is at home if and only if all has come", c.phase, u64(result));
  return 0;
}

std::vector<std::string> seeds() {
  const Mapping list[] = {{kWindow, kWindow + 0x8000, 1, Kind::file_private, 0, 0},
                          {kWindow + 0x8000, kWindow + 0xc000, 3, Kind::anon, kWritten, 0},
                          {kWindow + 0x20000, kWindow + 0x30000, 3, Kind::anon, kWritten, 0},
                          {0x7ffd00000000, 0x7ffd00021000, 3, Kind::stack, kWritten, 0}};
  const PageRun runs[] = {{kWindow + 0x8000, 128}, {kWindow + 0x2c000, 64}};
  std::vector<std::string> all;
  for (bool before : {false, true}) {
    Bytes b;
    Request dump{};
    dump.magic = kRequestMagic;
    dump.op = Op::dump;
    b.put(dump);
    Mapping first{kModelBase - 0x4000, kModelBase, 3, Kind::anon, kWritten, 0};
    b.put(RecordHeader{Record::mappings, before ? 5u : 4u, (before ? sizeof first : 0) + sizeof list});
    if (before) b.put(first);
    b.put(list).put(RecordHeader{Record::pages, 2, sizeof runs + 192}).put(runs).fill(192, 'p');
    if (before) b.put(RecordHeader{Record::pages, 1, sizeof(PageRun) + 64}).put(PageRun{kModelBase - 0x1000, 64}).fill(64, 'q');
    b.put(RecordHeader{Record::end, 0, 0});
    all.push_back(b.text);
  }
  return all;
}
