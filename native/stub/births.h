// Guest: what the births of threads (thread-calls.cc) and of children (children.cc) have in common.
#pragma once
#include "stub.h"

namespace mosrun {

// Flags of clone(2).
enum : u64 {
  vm = 0x100, fs = 0x200, files = 0x400, sighand = 0x800, vfork_flag = 0x4000, parent = 0x8000, thread = 0x10000, sysvsem = 0x40000, settls = 0x80000,
  parent_settid = 0x100000, child_cleartid = 0x200000, detached = 0x400000, untraced = 0x800000, child_settid = 0x1000000, io = 0x80000000,
  of_thread = vm | fs | files | sighand | thread,
  of_any = settls | parent_settid | child_cleartid | detached | untraced | child_settid | io,
};

void put_back(Spare spare);
u64 free_slot();
void inherit(Slot *child, const Trap &trap, u64 stack);
Slot *new_slot(Trap &trap, u64 index, Spare spare);
i64 give_tid(u64 to, i64 tid);
void watch(ChannelKind kind, Spare spare, i64 pid);

i64 new_process(Trap &trap, const CloneArgs &a);          // children.cc

}  // namespace mosrun
