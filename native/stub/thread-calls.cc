// Guest: threads, children, programs. Every one of them exists twice: a home process or thread that owns the kernel's side, and a guest one that runs.
// Home comes first, since it decides whether there may be one and what its number is; the guest's gets the same number (clone3 set_tid).
#include <initializer_list>

#include "syscalls.h"
#include "stub.h"

namespace mosrun {

bool keep_spare(Spare spare) {
  for (Spare &s : control().spares)
    if (s.fd < 0) { s = spare; return true; }
  return false;
}

bool stored_spare(Spare &spare) {
  for (Spare &s : control().spares)
    if (s.fd >= 0) {
      spare = s;
      s.fd = -1;
      return true;
    }
  return false;
}

// The next channel that the keeper has for this process. One to another node is kept: the order to go there comes later.
i64 next_in_pool(PoolMessage &message, int &fd, i64 timeout_ms) {
  Spare &onward = control().onward;
  if (i64 error = receive_fd(control().pool, &message, sizeof message, &fd, timeout_ms)) return error;
  if (fd < 0 || message.kind != ChannelKind::memory) return 0;
  if (message.owner != control().pid) return sys(nr_close, u64(fd)), 0;   // of a child that has ended meanwhile
  if (onward.fd >= 0) sys(nr_close, u64(onward.fd));
  onward = {fd, message.index};
  return 0;
}

// A channel whose other end the deputy already holds. Called with the control lock held.
bool take_spare(Trap &trap, Spare &spare) {
  if (trap.slot->process != &control().process) return false;            // the parent's, whose memory a vfork child shares, are not its own
  if (stored_spare(spare)) return true;
  for (int attempt = 0; attempt < 2; ++attempt) {
    PoolMessage message{};
    int fd;
    while (next_in_pool(message, fd, attempt ? 2000 : 0) == 0)
      if (fd >= 0 && message.kind == ChannelKind::spare && message.owner == trap.slot->process->pid) {
        spare = {fd, message.index};
        return true;
      } else if (fd >= 0 && message.kind != ChannelKind::memory) {
        sys(nr_close, u64(fd));
      }
    if (!attempt && ask(trap, Op::refill, 0)) return false;
  }
  return false;
}

namespace {

// Home has not used it: it goes home, and will be asked again there or from here.
void put_back(Spare spare) {
  if (!keep_spare(spare)) sys(nr_close, u64(spare.fd));
}

enum : u64 {
  vm = 0x100, fs = 0x200, files = 0x400, sighand = 0x800, vfork_flag = 0x4000, parent = 0x8000, thread = 0x10000, sysvsem = 0x40000, settls = 0x80000,
  parent_settid = 0x100000, child_cleartid = 0x200000, detached = 0x400000, untraced = 0x800000, child_settid = 0x1000000, io = 0x80000000,
  of_thread = vm | fs | files | sighand | thread,
  of_any = settls | parent_settid | child_cleartid | detached | untraced | child_settid | io,
};

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

void begin_thread(void *argument) {
  auto *slot = static_cast<Slot *>(argument);
  guest_altstack(slot);
  resume_frame(saved_frame(slot));
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

i64 tell(Slot *slot, Op op, u64 a0) {                                   // a request that has no reply
  Request r{};
  r.magic = kRequestMagic;
  r.op = op;
  r.args[0] = a0;
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

void alone(Process &p) {
  p.threads = 1;
  p.parked = 0;
  p.want_park = 0;
  p.stopped = 0;
  p.event_lock = 0;
}

// Channels that this process's deputy opens come to this process alone.
void own_pool(Control &c) {
  int pair[2];
  if (sys(nr_socketpair, 1, 5 | 0x80000, 0, address(pair))) guest_dies(Ending::no_pool);
  PoolMessage message{PoolType::pool, ChannelKind::spare, 0, c.pid, c.pid};
  struct { u64 length; u32 level, type; int fd, pad; } rights{20, 1, 1, pair[1], 0};
  IoVec iov{address(&message), sizeof message};
  MsgHdr header{};
  header.iov = address(&iov);
  header.iov_length = 1;
  header.control = address(&rights);
  header.control_length = sizeof rights;
  sys(nr_sendmsg, u64(c.keeper), address(&header), msg_nosignal);
  sys(nr_close, u64(pair[1]));
  if (c.pool != c.keeper) sys(nr_close, u64(c.pool));
  c.pool = pair[0];
}

// In the child of a fork: what it must not share with its parent.
void become_child(Slot *slot, i64 pid, Spare channel, Spare event) {
  Control &c = control();
  for (u32 i = 0; i < c.slots; ++i) {
    Slot *s = slot_at(i);
    if (s->state == u32(SlotState::used) && s->channel >= 0) sys(nr_close, u64(s->channel));
    if (s != slot) s->state = u32(SlotState::free), s->tid = 0;
  }
  sys(nr_close, u64(slot->process->event));
  for (Spare &s : c.spares)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
  if (c.onward.fd >= 0) sys(nr_close, u64(c.onward.fd)), c.onward.fd = -1;
  slot->channel = channel.fd;
  slot->tid = int(pid);
  slot->robust_list = 0;                                                // the kernel has cleared it
  slot->signal_waits = 0;
  if (slot->process != &c.process) copy(&c.process, slot->process, sizeof c.process), slot->process = &c.process;
  c.pid = int(pid);
  c.lock = 0;
  c.event = event.fd;
  c.process.pid = int(pid);
  c.process.event = event.fd;
  alone(c.process);
  c.process_cpu_base = 0;
  slot->cpu_base = 0;
  own_pool(c);
  sys(nr_close, u64(c.maps));
  sys(nr_close, u64(c.pagemap));
  sys(nr_close, u64(c.long_maps));
  c.maps = c.pagemap = c.long_maps = -1;                                // the parent's: its own are asked for when it needs them
  // Pages still at home are missing in the child too; without a watch of its own they would read as zeros.
  sys(nr_close, u64(c.uffd));
  c.uffd = int(sys(nr_userfaultfd, 0x80000 | 0x800 | 1));               // O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY
  struct { u64 api, features, ioctls; } api{0xaa, 1 << 7, 0};           // UFFD_FEATURE_SIGBUS
  if (c.uffd < 0 || sys(nr_ioctl, u64(c.uffd), 0xc018aa3f, address(&api))) guest_dies(Ending::no_watch);
  auto *book = pointer<Mapping>(base() + kBookOffset);
  for (u64 i = 0; i < c.book_entries; ++i) {
    if (book[i].flags & kDontFork) book[i--] = book[--c.book_entries];
    else if ((book[i].flags & kLazy) && watch_missing(book[i])) guest_dies(Ending::no_watch);
  }
  own_events(event.fd, int(pid));
  sys(nr_tgkill, u64(pid), u64(pid), kControlSignal);                   // a message may have come before
}

bool shares_memory() {
  Control &c = control();
  auto *book = pointer<Mapping>(base() + kBookOffset);
  for (u64 i = 0; i < c.book_entries; ++i)
    if (book[i].kind == Kind::shared_anon) return true;
  return false;
}

struct Pair { Spare channel, event; };

bool take_pair(Trap &trap, Pair &pair) {
  if (!take_spare(trap, pair.channel)) return false;
  if (take_spare(trap, pair.event)) return true;
  put_back(pair.channel);
  return false;
}
void close_pair(const Pair &pair) {
  sys(nr_close, u64(pair.channel.fd));
  sys(nr_close, u64(pair.event.fd));
}

// This node has no room for a child that home has made: it begins at home, with the memory as it is now.
void begin_at_home(Trap &trap, const CloneArgs &a, Slot *image, i64 pid) {
  image->altstack = trap.slot->altstack;
  image->fs_base = a.flags & settls ? a.tls : read_fs();
  image->gs_base = read_gs();
  image->rseq = trap.slot->rseq;
  image->rseq_length = trap.slot->rseq_length;
  image->rseq_signature = trap.slot->rseq_signature;
  image->tid_address = a.flags & child_cleartid ? a.child_tid : 0;
  int number = int(pid), kept;
  bool tells = (a.flags & child_settid) && !copy_program(&kept, pointer<void>(a.child_tid), sizeof kept);
  if (tells) copy_program(pointer<void>(a.child_tid), &number, sizeof number);
  send_copy_home(image);
  if (tells) copy_program(pointer<void>(a.child_tid), &kept, sizeof kept);
}

// A child whose parent waits in the guest: the memory is one. Only home's half is a plain fork.
i64 run_vfork(Trap &trap, const CloneArgs &a, CloneArgs &args, Slot *child, i64 pid) {
  Control &c = control();
  constexpr int kTries = 50;
  args.flags |= vm | vfork_flag;
  args.stack = address(child) + kStackLow;
  args.stack_size = kStackTop - kStackLow;
  i64 made = 0;
  TimeSpec pause{0, 20000000};
  for (int i = fails(Fault::guest_no_process) ? kTries : 0; i < kTries && made != pid; ++i) {
    if (i) sys(nr_nanosleep, address(&pause), 0);                       // others end: begun at home, it has a memory of its own
    made = clone_with_stack(nr_clone3, address(&args), sizeof args, 0, begin_vfork, child);   // returns when the child has ended
  }
  Lock::free_of(&c.lock, child->index);                                 // killed by whoever killed home's, at any moment
  Lock lock(&c.lock);
  if (made != pid) begin_at_home(trap, a, child, pid);
  child->state = u32(SlotState::free);
  child->tid = 0;
  return pid;
}

i64 new_process(Trap &trap, const CloneArgs &a) {
  Control &c = control();
  Slot *slot = trap.slot;
  bool with_memory = a.flags & vm;                                      // vfork, posix_spawn: the parent waits, the memory is one
  Pair pair;
  i64 pid;
  Slot *child = slot;
  CloneArgs args{};
  int numbers[1];
  {
    // Home's child and the guest's are to have the same mappings: no other thread changes any between the two.
    Lock lock(&c.lock);
    if (slot->process->want_park) return kAgain;
    if (!with_memory && shares_memory()) return go_home_locked(trap, nr_fork);
    if (!take_pair(trap, pair)) return go_home_locked(trap, nr_fork);
    if (with_memory) {
      child = new_slot(trap, free_slot(), pair.channel);
      if (!child) return close_pair(pair), -EAGAIN_;
    }
    pid = ask(trap, Op::fork, nr_clone, (a.flags & ~0xffull) | (a.exit_signal & 0xff), child->index, pair.channel.index, pair.event.index);
    if (failed(pid)) {
      if (pid == kRestart) put_back(pair.channel), put_back(pair.event);
      else close_pair(pair);
      return pid == -EAGAIN_ ? go_home_locked(trap, nr_fork) : pid;
    }
    watch(ChannelKind::event, pair.event, pid);
    watch(ChannelKind::thread, pair.channel, pid);
    if (a.flags & parent_settid) give_tid(a.parent_tid, pid);
    numbers[0] = int(pid);
    args.flags = parent | (a.flags & (settls | child_cleartid | child_settid));   // a child of the keeper, without an exit signal
    args.child_tid = a.child_tid;
    args.tls = a.tls;
    args.set_tid = address(numbers);
    args.set_tid_size = 1;
    if (!with_memory) {
      i64 made = fails(Fault::guest_no_process) ? -EAGAIN_ : sys(nr_clone3, address(&args), sizeof args);
      if (made == 0) {
        become_child(slot, pid, pair.channel, pair.event);
        if (a.flags & kClearSighand) clear_handlers(c.process);
        slot->tid_address = a.flags & child_cleartid ? a.child_tid : 0;
        if (a.stack) trap.context->regs.sp = a.stack + a.stack_size;
        trap.signal_waits = false;
        return 0;
      }
      if (failed(made)) {
        Slot *image = new_slot(trap, free_slot(), pair.channel);
        if (image) inherit(image, trap, a.stack ? a.stack + a.stack_size : 0), begin_at_home(trap, a, image, pid);
      }
      close_pair(pair);
      return pid;                                                       // without any half here, home's child sees its channel end
    }
    copy(&child->own_process, slot->process, sizeof(Process));
    Process &own = child->own_process;
    own.pid = int(pid);
    own.event = pair.event.fd;
    if (a.flags & kClearSighand) clear_handlers(own);
    alone(own);
    child->process = &own;
    child->altstack = slot->altstack;
    child->tid = int(pid);
    inherit(child, trap, a.stack ? a.stack + a.stack_size : 0);
    child->state = u32(SlotState::used);
  }
  run_vfork(trap, a, args, child, pid);
  close_pair(pair);
  return pid;
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

i64 exit_thread(Trap &trap, u64 status) {
  Slot *slot = trap.slot;
  Control &c = control();
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
      return sys(nr_set_tid_address, a[0]);
    case nr_set_robust_list: {
      i64 result = sys(nr_set_robust_list, a[0], a[1]);
      if (!result) slot->robust_list = a[0], slot->robust_length = a[1];
      return result;
    }
    case nr_get_robust_list: return sys(nr_get_robust_list, a[0], a[1], a[2]);
    case nr_rseq: {
      i64 result = sys(nr_rseq, a[0], a[1], a[2], a[3]);
      if (!result) slot->rseq = a[2] & 1 ? 0 : a[0], slot->rseq_length = u32(a[1]), slot->rseq_signature = u32(a[3]);
      return result;
    }
    case nr_arch_prctl: return a[0] >= 0x1001 && a[0] <= 0x1004 ? sys(nr_arch_prctl, a[0], a[1]) : go_home(trap, int(nr));
    case nr_prctl: return a[0] == 40 || a[0] == 0x53564d41 ? sys(nr_prctl, a[0], a[1], a[2], a[3], a[4]) : forward_call(trap, nr, a);   // PR_GET_TID_ADDRESS, PR_SET_VMA
    case 324: return membarrier(trap, a);
    default: return forward_call(trap, nr, a);
  }
}

}  // namespace mosrun
