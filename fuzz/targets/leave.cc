// A process leaves: descriptors from its mover, and the guest's words ready, running or fail (native/stub/leave.cc).
#include "model.h"

namespace mosrun {
extern "C" [[noreturn]] void leave_thread(Slot *);
}

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::home, data, size)) return 0;
  Control &c = control();
  c.event = c.proc = -1;
  c.phase = u32(Phase::leaving);
  set_up_slot(0, 77, -1);
  c.inside = 1;
  slot_at(0)->frame_length = kXstateInFrame + 64;
  add_mapping(kWindow, kWindow + 0x8000, prot_read | prot_write);
  add_mapping(kWindow + 0x10000, kWindow + 0x12000, prot_none);
  add_mapping(0x7ffd00000000, 0x7ffd00004000, prot_read | prot_write, true);
  End end = run([] { leave_thread(slot_at(0)); });
  require(end != End::returned, "a thread that leaves came back by itself");
  require(c.magic == kControlMagic && c.base == kModelBase && c.slots <= kMaxSlots, "the control data have changed");
  // Resumed at home, its channels are gone; away, it ended as a deputy whose stream has ended.
  if (end == End::resumed) require(c.phase == u32(Phase::home) && c.event == -1 && slot_at(0)->channel == -1, "at home with a channel left", c.phase);
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (Record last : {Record::running, Record::fail}) {
    Bytes b;
    const Handover handovers[] = {{Role::proc, 0, 0}, {Role::event, 0, 0}, {Role::spare, 3, 0}, {Role::thread, 0, 1}};
    for (const Handover &h : handovers) b.fill(1, 1).put(h);
    b.put(RecordHeader{Record::ready, 0, sizeof(Sent)}).put(Sent{}).put(RecordHeader{last, last == Record::fail ? 12u : 0, 0});
    Request r{};
    r.magic = kRequestMagic;
    r.op = Op::set_mask;
    b.put(r);
    all.push_back(b.text);
  }
  return all;
}
