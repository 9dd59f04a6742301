// A guest's calls are answered by its home: replies, and the data that come with them (native/stub/trap.cc, marshal.cc and the calls' own files).
#include <string.h>

#include "model.h"

using namespace mosrun;
using namespace mosrun::model;

namespace {

// What a program may have passed: buffers and structures in its memory. The rest of it must stay as it is.
constexpr u64 kLists = kWindow, kBuffer = kWindow + 0x1000, kLarge = kWindow + 0x10000, kCanary = kWindow + 0x40000, kFile = kWindow + 0x60000;
constexpr u64 kValues[] = {0, 1, 3, 16, 64, 4096, 0x20000, ~0ull, kLists, kLists + 0x100, kLists + 0x200, kLists + 0x300, kLists + 0x400, kBuffer, kBuffer + 8,
                           kBuffer + 0xff8, kLarge, kWindow - 8, kModelBase, kModelBase + kControlOffset, 0x5401, 0x10f11, 13, 0x12, 0x22, 10};
constexpr size_t kCanarySize = 4096;

struct Step { uint16_t nr; uint8_t arguments[6]; };

// Before each call: what an earlier one has read into them would be lists that give away memory, as the program's own will.
void prepare_lists() {
  for (u64 at : {kLists, kBuffer, kLarge}) memset(pointer<void>(at), 0, 0x4000);
  const IoVec parts[] = {{kBuffer, 16}, {kBuffer + 0x100, 64}, {kLarge, 0x8000}};
  memcpy(pointer<void>(kLists), parts, sizeof parts);
  MsgHdr message{kBuffer + 0x400, 16, 0, kLists, 2, kBuffer + 0x500, 64, 0, 0};
  memcpy(pointer<void>(kLists + 0x100), &message, sizeof message);
  const TimeSpec time{1, 500};
  memcpy(pointer<void>(kLists + 0x200), &time, sizeof time);
  strcpy(pointer<char>(kLists + 0x300), "/etc/hostname");
  const u32 room = 128;
  memcpy(pointer<void>(kLists + 0x400), &room, sizeof room);
}

void prepare_program() {
  add_mapping(kWindow, kWindow + 0x40000, prot_read | prot_write);
  add_mapping(kCanary, kCanary + 0x1000, prot_read | prot_write);
  add_mapping(kFile, kFile + 0x20000, prot_read);
  memset(pointer<void>(kCanary), 0xa5, kCanarySize);
  world.held = kCanary;
  world.held_end = kCanary + kCanarySize;
  *pointer<Mapping>(base() + kBookOffset) = {kFile, kFile + 0x20000, 1, Kind::file_private, kLazy, 0};
  control().book_entries = 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::guest, data, size)) return 0;
  set_up_slot(0, 77, kChannel);
  Control &c = control();
  c.phase = u32(Phase::away);
  c.spares[0] = {kSpare, 5};
  c.spares[1] = {kSpare, 6};
  prepare_program();
  world.slot = 0;
  Slot *slot = slot_at(0);
  alignas(64) uint8_t fpu[1088] = {};
  const u32 xstate[2] = {kFpMagic1, 832};
  memcpy(fpu + 464, xstate, sizeof xstate);
  uint8_t info[128] = {};
  const u32 architecture = 0xc000003e;
  memcpy(info + 28, &architecture, 4);
  run([&] {
    for (int calls = 0; calls < 4 && world.left >= sizeof(Step); ++calls) {
      Step step;
      memcpy(&step, world.input, sizeof step);
      world.input += sizeof step;
      world.left -= sizeof step;
      prepare_lists();
      u64 args[6];
      for (int i = 0; i < 6; ++i) args[i] = kValues[step.arguments[i] % std::size(kValues)];
      if (syscalls::place_of(step.nr % 480u, args) == syscalls::Place::native) continue;   // does not trap
      Context context{};
      context.regs = {args[4], args[5], args[3], 0, 0, 0, 0, 0, args[0], args[1], 0, 0, args[2], step.nr % 480u, 0, kWindow + 0x3f000, 0x400100, 0, 0x33, 0, 0, 0x2b, 0, 0, 0, 0, address(fpu), {}};
      guest_trap(31, info, &context);
    }
  });
  require(c.magic == kControlMagic && c.base == kModelBase && c.slots <= kMaxSlots && c.book_entries <= kBookMax, "the control data have changed");
  require(slot->process == &c.process && slot->index == 0, "the slot has changed");
  for (size_t i = 0; i < kCanarySize; i += 8) require(*pointer<u64>(kCanary + i) == 0xa5a5a5a5a5a5a5a5, "memory that no call was given has changed", i);
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  auto reply = [](i64 result, u32 out, u32 flags = 0) { return Reply{result, out, flags}; };
  auto make = [&](Step step, Reply answer, uint8_t variant = 0) {
    Bytes b(Manner{0, 0, 0, 0, variant, {}});
    b.put(step).put(answer).fill(answer.out_size, 'r');
    all.push_back(b.text);
  };
  make({nr_read, {1, 13, 4}}, reply(64, 64));
  make({nr_write, {1, 13, 4}}, reply(64, 0));
  make({19, {1, 8, 2}}, reply(80, 80));                                    // readv
  make({47, {2, 9, 0}}, reply(16, 200));                                   // recvmsg
  make({55, {2, 1, 1, 13, 12}}, reply(0, 136));                            // getsockopt
  make({23, {4, 13, 14, 0, 10}}, reply(1, 40));                            // select
  make({257, {7, 11, 0}}, reply(3, 0));                                    // openat
  make({nr_ioctl, {1, 20, 13}}, reply(0, 64));
  make({98, {0, 13}}, reply(0, 144));                                      // getrusage
  make({100, {13}}, reply(7, 32));                                         // times
  make({66, {1, 0, 22, 13}}, reply(0, 104));                               // semctl, GETALL
  make({nr_mmap, {0, 5, 1, 2, 2, 0}}, reply(0, 0));
  make({56, {21, 16, 0, 0, 0}}, reply(80, 0));                             // clone
  make({57, {}}, reply(80, 0));                                            // fork
  make({299, {2, 9, 1, 0, 0}}, reply(16, 200));                            // recvmmsg
  make({4, {11, 13}}, reply(0, 144, kSignalWaits));                        // stat, and a signal
  make({59, {11, 0, 0}}, reply(-2, 0));                                    // execve
  make({13, {25, 0, 13, 5}}, reply(0, 0));
  return all;
}
