// A guest builds itself from what its home sends: state, slots, mappings, pages (native/stub/arrive.cc, memory.cc, vdso.cc).
#include "model.h"

namespace mosrun {
extern "C" [[noreturn]] void arrive();
}

using namespace mosrun;
using namespace mosrun::model;

namespace {

constexpr u64 kVdso = kWindow + 0x80000;

void check_guest() {
  Control &c = control();
  require(c.magic == kControlMagic && c.base == kModelBase && c.pid == 77, "the control data have changed");
  require(c.slots <= kMaxSlots && c.threads && c.threads <= c.slots && c.book_entries <= kBookMax, "counts are beyond their limits", c.slots, c.threads);
  for (u32 i = 0; i < c.slots; ++i) {
    Slot *s = slot_at(i);
    if (s->state != u32(SlotState::used)) continue;
    const Context &context = saved_frame(s)->context;
    require(is_slot_mapped(i) && s->index == i && s->process == &c.process, "a slot is not its own", i);
    require(s->frame_length <= kFrameSize && context.regs.fpstate == address(saved_frame(s)) + kXstateInFrame, "a frame is beyond its slot", i, s->frame_length);
    require(context.stack.sp == address(s) + kStackLow && context.stack.size == kSlotSize - kStackLow, "a signal stack is not the slot's", i);
  }
  auto *book = pointer<Mapping>(base() + kBookOffset);
  for (u64 i = 0; i < c.book_entries; ++i) require(book[i].start < book[i].end && !overlaps_region(book[i].start, book[i].end - book[i].start), "the book has a mapping that cannot be", i);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::guest, data, size)) return 0;
  world.building = world.window_only = true;
  world.maps = "6d000000-6d100000 r-xp 00000000 00:00 9 /moshusk\n7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]\n";
  set_up_slot(0, 77, kChannel);
  Control &c = control();
  if (world.manner.variant & 1) c.event = -1;
  if (world.manner.variant & 2) c.memory = kSpare;
  End end = run([] { arrive(); });
  if (end == End::resumed) check_guest();
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (u32 threads : {1u, 2u}) {
    for (uint8_t variant : {0, 1, 2, 4, 6}) {
      Bytes b(Manner{0, 0, 0, 0, variant, {}});
      if (variant & 4) {                                                // some of it has come ahead, over three channels
        b.put(RecordHeader{Record::streams, 2, 0});
        for (uint16_t i : {1, 2}) b.fill(1, 1).put(PoolMessage{PoolType::channel, variant & 2 ? ChannelKind::memory : ChannelKind::spare, i, 0, 77});
        const Mapping ahead{kWindow + 0x3000, kWindow + 0x7000, 0, Kind::anon, 0, 0}, stack{kWindow + 0x91000, kWindow + 0x94000, 0, Kind::stack, 0, 0};
        b.put(RecordHeader{Record::stage, 1, sizeof ahead}).put(ahead);
        b.put(RecordHeader{Record::pages, 1, sizeof(PageRun) + 64}).put(PageRun{kWindow + 0x4000, 64}).fill(64, 'a');
        // A page of zeros, as one literal and one long match.
        const std::string block = std::string("\x1f\0\1\0", 4) + std::string(15, '\xff') + std::string("\xf6\x50\0\0\0\0\0", 7);
        b.put(RecordHeader{Record::packed, 1, sizeof(PageRun) + block.size()}).put(PageRun{kWindow + 0x5000, 0x1000});
        b.text += block;
        b.put(RecordHeader{Record::stage, 1, sizeof stack}).put(stack).put(RecordHeader{Record::streams, 0, 0}).put(RecordHeader{Record::ahead, 7, 0});
      }
      Control home{};
      home.magic = kControlMagic;
      home.base = kModelBase;
      home.protocol = kProtocol;
      home.slots = threads;
      home.threads = threads;
      home.vdso_start = kVdso;
      home.vdso_end = kVdso + 0x2000;
      b.put(RecordHeader{Record::state, threads, sizeof home}).put(home);
      for (u32 i = 0; i < threads; ++i) {
        Slot slot{};
        slot.state = u32(SlotState::used);
        slot.tid = int(77 + i);
        slot.frame_length = kXstateInFrame + 64;
        b.put(RecordHeader{Record::slot, i, sizeof slot + slot.frame_length}).put(slot).put(Frame{}).fill(slot.frame_length - sizeof(Frame));
      }
      const Mapping list[] = {{kWindow, kWindow + 0x3000, 5, Kind::file_private, kLazy, 0},
                              {kWindow + 0x3000, kWindow + 0x5000, 3, Kind::anon, 0, 0},
                              {kVdso, kVdso + 0x2000, 5, Kind::vdso, 0, 0},
                              {kWindow + 0x90000, kWindow + 0x94000, 3, Kind::stack, 0, 0}};
      b.put(RecordHeader{Record::mappings, 4, sizeof list}).put(list);
      uint8_t image[512] = {0x7f, 'E', 'L', 'F'};                       // one load, one dynamic segment, one function
      auto set = [&](size_t at, u64 value, size_t n) { __builtin_memcpy(image + at, &value, n); };
      set(32, 64, 8), set(54, 56, 2), set(56, 2, 2);
      set(64, 1, 4), set(64 + 56, 2, 4), set(64 + 56 + 8, 192, 8);
      set(192, 5, 8), set(200, 320, 8), set(208, 6, 8), set(216, 352, 8), set(224, 4, 8), set(232, 400, 8);
      __builtin_memcpy(image + 321, "__vdso_time", 12);
      set(404, 2, 4);
      set(352 + 24, 1, 4), set(352 + 28, 0x12, 1), set(352 + 30, 1, 2), set(352 + 32, 448, 8);
      const PageRun runs[] = {{kWindow + 0x3000, 64}, {kVdso, sizeof image}};
      b.put(RecordHeader{Record::pages, 2, sizeof runs + 64 + sizeof image}).put(runs).fill(64, 'x').put(image);
      if (variant & 4) b.put(RecordHeader{Record::pages, 1, sizeof(PageRun)}).put(PageRun{(kWindow + 0x92000) | kStands, 0x1000});
      b.put(RecordHeader{Record::end, 0, 0});
      for (u32 i = 1; i < threads; ++i) b.fill(1, 1).put(PoolMessage{PoolType::channel, ChannelKind::thread, uint16_t(i), 0, 77});
      b.fill(1, 1).put(PoolMessage{PoolType::channel, ChannelKind::spare, 9, 0, 77});
      if (variant & 1) b.fill(1, 1).put(PoolMessage{PoolType::channel, ChannelKind::event, 0, 0, 77});
      b.put(RecordHeader{Record::go, 0, 0});
      all.push_back(b.text);
    }
  }
  return all;
}
