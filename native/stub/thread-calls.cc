// Guest: threads, children, programs. Every one of them exists twice: a home process or thread that owns the kernel's side, and a guest one that runs.
// Home comes first, since it decides whether there may be one and what its number is; the guest's gets the same number (clone3 set_tid).
#include <initializer_list>

#include "births.h"
#include "syscalls.h"

namespace mosrun {

// Home has not used it: it goes home, and will be asked again there or from here.
void put_back(Spare spare) {
  if (!keep_spare(spare)) sys(nr_close, u64(spare.fd));
}

u64 free_slot() {
  Control &c = control();
  for (u64 i = 1; i < kMaxSlots; ++i) {
    if (i >= c.slots) return i;
    Slot *s = slot_at(i);
    if (s->state == u32(SlotState::used)) continue;
    if (s->state == u32(SlotState::dying) && s->tid && sys(nr_tgkill, u64(s->process->pid), u64(s->tid), 0) == 0) continue;   // still on its stack
    return i;
  }
  return 0;
}

// The registers a child begins with: its parent's, with its own stack and result.
void inherit(Slot *child, const Trap &trap, u64 stack) {
  const Context &from = *trap.context;
  Frame *frame = saved_frame(child);
  zero(frame, sizeof *frame);
  frame->context = from;
  frame->context.mask = 0;
  frame->context.stack = {address(child) + kStackLow, 0, 0, kSlotSize - kStackLow};
  frame->context.regs.ax = 0;
  frame->context.regs.cx = from.regs.ip;
  if (stack) frame->context.regs.sp = stack;
  uint8_t *xstate = reinterpret_cast<uint8_t *>(frame) + kXstateInFrame;
  u32 size = 512, magic;
  auto *fp = pointer<uint8_t>(from.regs.fpstate);
  copy(&magic, fp + 464, 4);
  if (magic == kFpMagic1) copy(&size, fp + 468, 4);
  copy(xstate, fp, minimum<u64>(size, kFrameSize - kXstateInFrame));
  frame->context.regs.fpstate = address(xstate);
  child->frame_length = kXstateInFrame + size;
}

Slot *new_slot(Trap &trap, u64 index, Spare spare) {
  Control &c = control();
  if (!index || !map_slot(index)) return nullptr;
  Slot *s = slot_at(index);
  zero(s, sizeof *s);
  s->index = u32(index);
  s->channel = spare.fd;
  s->process = trap.slot->process;
  s->mask = trap.slot->mask;
  s->fs_base = trap.slot->fs_base;
  if (c.slots <= index) c.slots = u32(index) + 1;
  return s;
}

i64 give_tid(u64 to, i64 tid) {
  int value = int(tid);
  return to ? copy_program(pointer<void>(to), &value, 4) : 0;
}

// Tells the keeper what a spare has become: an event channel that it is to watch, or a thread's, which is none of its business.
void watch(ChannelKind kind, Spare spare, i64 pid) {
  PoolMessage message{PoolType::watch, kind, uint16_t(spare.index), int(pid), control().pid};
  sys(nr_sendto, u64(control().keeper), address(&message), sizeof message, msg_nosignal | msg_dontwait);
}

namespace {

void begin_thread(void *argument) {
  auto *slot = static_cast<Slot *>(argument);
  guest_altstack(slot);
  resume_frame(saved_frame(slot));
}

i64 tell(Slot *slot, Op op, u64 a0) {                                   // a request that has no reply
  Request r{};
  r.magic = kRequestMagic;
  r.op = op;
  r.args[0] = a0;
  if (slot->windows_waiting) receive_windows(slot);
  r.after = after_behind(slot);                                         // whoever wrote before may have told this thread so
  return send_all(slot->channel, &r, sizeof r);
}

i64 new_thread(Trap &trap, const CloneArgs &a) {
  Control &c = control();
  Process *process = trap.slot->process;
  Lock lock(&c.lock);
  if (process->want_park) return kAgain;
  have_own_files();                        // while the first thread is the only one: the keeper knows no other, and this one may end
  Spare spare;
  if (!take_spare(trap, spare)) return go_home_locked(trap, nr_clone);
  u64 index = free_slot();
  Slot *child = new_slot(trap, index, spare);
  if (!child) return sys(nr_close, u64(spare.fd)), -EAGAIN_;
  i64 tid = ask(trap, Op::clone, nr_clone, a.flags, index, spare.index);
  if (failed(tid)) {
    tid == kRestart ? put_back(spare) : void(sys(nr_close, u64(spare.fd)));
    return tid == -EAGAIN_ ? go_home_locked(trap, nr_clone) : tid;
  }
  inherit(child, trap, a.stack + a.stack_size);
  child->tid = int(tid);
  child->tid_address = a.flags & child_cleartid ? a.child_tid : 0;
  if (a.flags & parent_settid) give_tid(a.parent_tid, tid);
  if (a.flags & child_settid) give_tid(a.child_tid, tid);
  if (a.flags & child_cleartid) bring_range(a.child_tid, sizeof(u32), true);
  int numbers[1] = {int(tid)};
  CloneArgs args{};
  args.flags = 0x50f00 | (a.flags & (settls | child_cleartid));
  args.child_tid = a.child_tid;
  args.tls = a.tls;
  args.stack = address(child) + kStackLow;
  args.stack_size = kStackTop - kStackLow;
  args.set_tid = address(numbers);
  args.set_tid_size = 1;
  child->state = u32(SlotState::used);
  i64 made = fails(Fault::guest_no_thread) ? -EAGAIN_ : clone_with_stack(nr_clone3, address(&args), sizeof args, 0, begin_thread, child);
  if (made != tid) {                       // this node has no room for it: home's ends without having been, and another is made there
    child->state = u32(SlotState::free);
    child->tid = 0;
    tell(child, Op::exit, 0);
    sys(nr_close, u64(spare.fd));
    return go_home_locked(trap, nr_clone);
  }
  add(&process->threads, 1);
  watch(ChannelKind::thread, spare, process->pid);
  return tid;
}

// Threads as pthread_create makes them, and children with a memory of their own or whose parent waits. All else, also what makes no sense, is for
// home's kernel to do or to refuse.
i64 clone(Trap &trap, const CloneArgs &a) {
  u64 special = a.flags & ~of_any;
  if (a.set_tid_size) return go_home(trap, nr_clone);
  if ((special & thread && !(special & sighand)) || (special & sighand && !(special & vm))) return -EINVAL_;
  if (special & thread) return (special & ~u64(sysvsem)) == of_thread ? new_thread(trap, a) : go_home(trap, nr_clone);
  u64 sharing = special & ~(fs | parent | kClearSighand);
  return sharing && sharing != (vm | vfork_flag) ? go_home(trap, nr_clone) : new_process(trap, a);
}

// What clone(2) does not look at.
bool good_arguments(const CloneArgs &a) {
  return !(a.flags & (0x7f | detached)) && !a.set_tid == !a.set_tid_size && a.exit_signal <= u64(kSignals) && !(a.flags & (thread | parent) && a.exit_signal) && !a.stack == !a.stack_size;
}

// The kernel walks the list as the thread ends (exit_robust_list, kernel/futex/core.c), and to it a page that is still at home is the list's end.
void bring_robust_list(const Slot *slot) {
  constexpr int most = 2048;                                            // ROBUST_LIST_LIMIT
  struct { u64 next; i64 offset; u64 pending; } head;
  if (slot->robust_length != sizeof head || copy_program(&head, pointer<void>(slot->robust_list), sizeof head)) return;
  if (head.pending) bring_range((head.pending & ~1ull) + u64(head.offset), sizeof(u32), true);
  u64 at = head.next & ~1ull;
  for (int i = 0; at != slot->robust_list && i < most; ++i) {
    u64 next;
    bring_range(at + u64(head.offset), sizeof(u32), true);
    if (copy_program(&next, pointer<void>(at), sizeof next)) return;
    at = next & ~1ull;
  }
}

i64 exit_thread(Trap &trap, u64 status) {
  Slot *slot = trap.slot;
  Control &c = control();
  bring_robust_list(slot);
  {
    Lock lock(&c.lock);
    if (slot->process->want_park) return kAgain;                        // it ends at home
    tell(slot, Op::exit, status);
    add(&slot->process->threads, -1u);
    store(&slot->state, u32(SlotState::dying));
    sys(nr_close, u64(slot->channel));
    slot->channel = -1;
  }
  for (;;) sys(nr_exit, status);                                        // here the kernel clears the tid word and walks the robust list
}

// Among the guest's own threads; but home keeps what the process has registered for, since a guest begins without.
i64 membarrier(Trap &trap, u64 *a) {
  constexpr u64 kRegistrations = 512;
  u64 registers = 0;                                                    // of the private expedited commands 8, 32, 128: 16, 64, 256
  for (u32 command : {8u, 32u, 128u})
    if (u32(a[0]) == command || u32(a[0]) == command * 2) registers = command * 2;
  if (u32(a[0]) == kRegistrations || (registers && u32(a[0]) == registers)) {
    i64 result = forward_call(trap, 324, a);
    if (!result && registers) sys(324, registers, 0, 0);
    return result;
  }
  i64 result = sys(324, a[0], a[1], a[2]);
  if (result != -EPERM_ || !registers) return result;
  result = forward_call(trap, 324, a);
  return result ? result : sys(324, registers, 0, 0) ? -EPERM_ : sys(324, a[0], a[1], a[2]);
}

}  // namespace

// Like go_home, for a caller that holds the lock.
i64 go_home_locked(Trap &trap, int reason) {
  request(trap.slot, Op::come_home, u64(i64(reason)));
  store(&trap.slot->process->want_park, 1);
  call_threads(trap.slot->process, nullptr);
  return kAgain;
}

void begin_vfork(void *argument) {
  auto *slot = static_cast<Slot *>(argument);
  guest_altstack(slot);
  own_events(slot->process->event, slot->process->pid);
  sys(nr_tgkill, u64(slot->process->pid), u64(slot->tid), kControlSignal);
  resume_frame(saved_frame(slot));
}

i64 thread_call(Trap &trap, u32 nr, u64 *a) {
  Slot *slot = trap.slot;
  switch (nr) {
    case nr_clone: return clone(trap, {a[0] & ~0xffull, a[2], a[3], a[2], a[0] & 0xff, a[1], 0, a[4], 0, 0, 0});
    case nr_fork: return clone(trap, {0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0});
    case nr_vfork: return clone(trap, {vm | vfork_flag, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0});
    case nr_clone3: {
      CloneArgs args{};
      if (a[1] < 64) return -EINVAL_;
      if (a[1] > sizeof args) return go_home(trap, nr_clone3);
      if (copy_program(&args, pointer<void>(a[0]), a[1])) return -EFAULT_;
      return good_arguments(args) ? clone(trap, args) : -EINVAL_;
    }
    case nr_execve: case nr_execveat: return exec_call(trap, nr, a);
    case nr_exit: return exit_thread(trap, a[0]);
    case nr_exit_group:
      // Home ends first: were this side to close its channels now, other deputies could take it for a loss.
      tell(slot, Op::exit_group, a[0]);
      wait_readable(slot->channel, -1);
      guest_dies(Ending::disconnected);
    case nr_set_tid_address:
      slot->tid_address = a[0];
      bring_range(a[0], sizeof(u32), true);                                   // the kernel writes there as the thread ends
      return sys(nr_set_tid_address, a[0]);
    case nr_set_robust_list: {
      i64 result = sys(nr_set_robust_list, a[0], a[1]);
      if (!result) slot->robust_list = a[0], slot->robust_length = a[1];
      return result;
    }
    case nr_get_robust_list:
      return bring_range(a[1], sizeof(u64), true) && bring_range(a[2], sizeof(u64), true) ? sys(nr_get_robust_list, a[0], a[1], a[2]) : -EFAULT_;
    case nr_rseq: {
      bring_range(a[0], minimum<u64>(u32(a[1]), kPage), true);
      i64 result = sys(nr_rseq, a[0], a[1], a[2], a[3]);
      if (!result) slot->rseq = a[2] & 1 ? 0 : a[0], slot->rseq_length = u32(a[1]), slot->rseq_signature = u32(a[3]);
      return result;
    }
    case nr_arch_prctl:
      if (a[0] == 0x1003 || a[0] == 0x1004) return bring_range(a[1], sizeof(u64), true) ? sys(nr_arch_prctl, a[0], a[1]) : -EFAULT_;   // ARCH_GET_FS, ARCH_GET_GS
      return a[0] == 0x1001 || a[0] == 0x1002 ? sys(nr_arch_prctl, a[0], a[1]) : go_home(trap, int(nr));
    case nr_prctl:
      if (a[0] == 40 && !bring_range(a[1], sizeof(u64), true)) return -EFAULT_;
      if (a[0] == 0x53564d41 && a[4]) bring_range(a[4], 80, false);      // a name (ANON_VMA_NAME_MAX_LEN)
      return a[0] == 40 || a[0] == 0x53564d41 ? sys(nr_prctl, a[0], a[1], a[2], a[3], a[4]) : forward_call(trap, nr, a);   // PR_GET_TID_ADDRESS, PR_SET_VMA
    case 324: return membarrier(trap, a);
    default: return forward_call(trap, nr, a);
  }
}

}  // namespace mosrun
