// The home process serves its guest: requests that come from a hosting node (native/stub/deputy.cc).
#include "model.h"

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::home, data, size)) return 0;
  set_up_slot(0, 77, kChannel);
  set_up_slot(1, 78, kChannel);
  Control &c = control();
  c.phase = u32(world.manner.variant & 16 ? Phase::moving : world.manner.variant & 4 ? Phase::returning : Phase::away);
  if (world.manner.variant & 16) c.parked = 1;                            // the other thread has
  c.reads_ahead = !(world.manner.variant & 8);
  c.spares[0] = {kSpare, 5};
  c.spares[1] = {kSpare, 6};
  add_mapping(kWindow, kWindow + 0x10000, prot_read | prot_write);
  add_mapping(kModelBase - 0x10000, kModelBase, prot_read | prot_write);
  Slot *slot = slot_at(world.manner.variant & 1);
  world.slot = slot->index;
  if (world.manner.variant & 2) {
    slot->in_hand = 10;
    slot->caught_for = c.process.actions[9] = {0x1000, world.manner.variant & 8 ? 0x80000000 : 0, 0, 0};
  }
  End end = run([&] { deputy(slot); });
  require(end != End::returned, "a deputy ended without a word");
  require(c.magic == kControlMagic && c.base == kModelBase && c.slots <= kMaxSlots, "the control data have changed");
  return 0;
}

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  auto request = [](Op op, u32 nr, std::initializer_list<u64> args, u32 in = 0, u32 out = 0) {
    Request r{};
    r.magic = kRequestMagic;
    r.op = op;
    r.nr = uint16_t(nr);
    r.in_size = in;
    r.out_size = r.out_fixed = out;
    unsigned i = 0;
    for (u64 a : args) r.args[i++] = a;
    return r;
  };
  Bytes calls;
  Request r = request(Op::call, nr_write, {1, 0, 5}, 8);
  r.in_pointers = 2;
  calls.put(r).fill(8, 'w');
  r = request(Op::call, nr_read, {0, 0, 64}, 0, 64);
  r.out_pointers = 2;
  r.out_fixed = 0;
  r.result_size = 1;
  calls.put(r);
  r = request(Op::call, 257, {u64(-100), 0, 0}, 8);                     // openat
  r.in_pointers = 2;
  calls.put(r).put("/etc/ab");
  r = request(Op::call, nr_ioctl, {1, 0x5401, 0}, 0, 64);               // TCGETS
  r.out_pointers = 4;
  calls.put(r);
  all.push_back(calls.text);
  Bytes lists;
  r = request(Op::call, 20, {1, 0, 1}, 8 + 16 + 8);                     // writev
  r.in_pointers = 2;
  r.relocations = 1;
  lists.put(r).put(Relocation{0, 16}).put(IoVec{0, 8}).fill(8, 'v');
  r = request(Op::call, nr_recvmsg, {3, 0, 0}, 8 + 56 + 16, 56 + 32);
  r.out_pointers = 2;
  r.inout_size = 56;
  r.relocations = 1;
  MsgHdr header{};
  header.iov_length = 1;
  lists.put(r).put(Relocation{16, 56}).put(header).put(IoVec{0, 0});
  r = request(Op::call, 23, {8, 0, 0, 0, 8}, 8 + 16, 8 + 16);            // select
  r.out_pointers = 2 | 16;
  r.inout_size = 24;
  lists.put(r).fill(24);
  r = request(Op::call, 55, {3, 1, 4, 0, 16}, 24, 24);                  // getsockopt
  r.out_pointers = 8 | 16;
  r.inout_size = 24;
  lists.put(r).fill(16).put(u64(16));
  all.push_back(lists.text);
  Bytes memory;
  memory.put(request(Op::fetch, 0, {kWindow, 4096, 1, 3}, 0, 4096));
  memory.put(request(Op::map, nr_mmap, {kWindow + 0x20000, 0x2000, 1, 0x12, 3, 0}));
  memory.put(request(Op::mirror, nr_munmap, {kWindow + 0x20000, 0x1000}));
  memory.put(request(Op::fetch, 0, {kModelBase - 4096, 4096, 0, 0}, 0, 4096));
  memory.put(request(Op::statuses, syscalls::nr_newfstatat, {u64(-100)}, 8, 304)).put("/a/\0b\0c");
  all.push_back(memory.text);
  Bytes threads;
  threads.put(request(Op::clone, nr_clone, {0, 2, 5}));
  threads.put(request(Op::fork, nr_clone, {17, 0, 6, 5}));
  threads.put(request(Op::refill, 0, {}));
  threads.put(request(Op::set_mask, 0, {0xff}));
  threads.put(request(Op::set_action, 0, {10}, sizeof(SigAction))).put(SigAction{0x4000, 4, 0, 0});
  threads.put(request(Op::get_signal, 0, {}, 0, sizeof(Delivery)));
  threads.put(request(Op::come_home, 0, {7}));
  threads.put(request(Op::exit, 0, {3}));
  all.push_back(threads.text);
  Bytes exec;
  r = request(Op::exec, nr_execve, {0, 8, 24}, 8 + 32);
  r.in_pointers = 7;
  r.relocations = 1;
  exec.put(r).put(Relocation{8, 0}).put("/bin/ls").fill(24);
  all.push_back(exec.text);
  Bytes park(Manner{0, 0, 0, 0, 4, {}});
  Slot incoming{};
  park.put(request(Op::park, 0, {0, 0}, sizeof incoming + kXstateInFrame + 64)).put(incoming).fill(kXstateInFrame + 64);
  all.push_back(park.text);
  Bytes on(Manner{0, 0, 0, 0, 16, {}});
  on.put(request(Op::park, 0, {1, 0, 1}, sizeof incoming + kXstateInFrame + 64)).put(incoming).fill(kXstateInFrame + 64);
  const Handover handovers[] = {{Role::event, 0, 0}, {Role::spare, 3, 0}, {Role::thread, 1, 0}, {Role::thread, 0, 1}};
  for (const Handover &h : handovers) on.fill(1, 1).put(h);
  on.put(request(Op::dump, 0, {0})).put(RecordHeader{Record::ready, 0, sizeof(Sent)}).put(Sent{}).put(RecordHeader{Record::running, 0, 0});
  on.put(request(Op::set_mask, 0, {1}));
  all.push_back(on.text);
  return all;
}
