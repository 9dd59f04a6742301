// What reaches a guest from outside its own calls: events, signals to deliver, pages it had not touched yet, home's verdict on a return.
#include "stub/deliver.cc"

#include <string.h>

#include "model.h"

using namespace mosrun;
using namespace mosrun::model;

namespace {

constexpr u64 kStackPage = kWindow + 0x3f000, kFile = kWindow + 0x60000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::guest, data, size)) return 0;
  set_up_slot(0, 77, kChannel);
  set_up_slot(1, 78, kChannel);
  Control &c = control();
  c.phase = u32(Phase::away);
  c.spares[0] = {kSpare, 5};
  Slot *slot = slot_at(0);
  add_mapping(kWindow, kWindow + 0x40000, prot_read | prot_write);
  add_mapping(kFile, kFile + 0x20000, prot_read);
  *pointer<Mapping>(base() + kBookOffset) = {kFile, kFile + 0x20000, 1, Kind::file_private, kLazy, 0};
  c.book_entries = 1;
  alignas(64) uint8_t fpu[1088] = {};
  const u32 xstate[2] = {kFpMagic1, 832};
  memcpy(fpu + 464, xstate, sizeof xstate);
  uint8_t info[128] = {};
  Context context{};
  context.regs.sp = kStackPage + 0xe00;
  context.regs.ip = kWindow + 0x100;
  context.regs.fpstate = address(fpu);
  run([&] {
    switch (world.manner.variant % 4) {
      case 0: note_events(slot); break;
      case 1: deliver_waiting(slot, &context); break;
      case 2: {
        u64 at = kFile + take_byte() * 0x200;
        memcpy(info + 16, &at, 8);
        guest_fault(7, info, &context);
        break;
      }
      case 3:
        c.process.want_park = 1;
        c.process.threads = 1;
        guest_control(kControlSignal, info, &context);
        break;
    }
  });
  require(c.magic == kControlMagic && c.base == kModelBase && c.slots == 2 && c.pid == 77, "the control data have changed");
  require(slot->process == &c.process && slot->channel == kChannel && slot->index == 0, "the slot has changed");
  require(slot_at(1)->process == &c.process && slot_at(1)->channel == kChannel, "another thread's slot has changed");
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  Bytes events(Manner{0, 0, 0, 0, 0, {}});
  for (EventType type : {EventType::signal, EventType::resume, EventType::on, EventType::home, EventType::signal}) events.put(Event{type, 0, 1, 0});
  all.push_back(events.text);
  Bytes signals(Manner{0, 0, 0, 0, 1, {}});
  Delivery d{};
  d.action = {0x400000, 0x84000004, 0, 0};
  signals.put(Reply{10, sizeof d, kSignalWaits}).put(d).put(Reply{12, sizeof d, 0}).put(d).put(Reply{0, 0, 0});
  all.push_back(signals.text);
  Bytes pages(Manner{0, 0, 0, 0, 2, {}});
  pages.fill(1, 8).put(Reply{4096, 4096, 0}).fill(4096, 'f');
  all.push_back(pages.text);
  Bytes verdict(Manner{0, 0, 0, 0, 3, {}});
  verdict.put(Reply{kStayAway, 0, 0});
  all.push_back(verdict.text);
  return all;
}
