// Guest: children. Each is born at both ends: home first, and here with the same number.
#include "births.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

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
  for (Spare &s : c.onward)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
  leave_copier_to_parent();
  begin_times_of_child(slot);
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
  c.process_cpu_base = c.earlier[0] = c.earlier[1] = 0;
  slot->cpu_base = slot->earlier[0] = slot->earlier[1] = 0;
  own_pool(c);
  sys(nr_close, u64(c.maps));
  sys(nr_close, u64(c.pagemap));
  sys(nr_close, u64(c.long_maps));
  sys(nr_close, u64(c.status));
  c.maps = c.pagemap = c.long_maps = c.status = -1;                     // the parent's: its own are asked for when it needs them
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
  forget_reads(slot);
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

}  // namespace

i64 new_process(Trap &trap, const CloneArgs &a) {
  Control &c = control();
  Slot *slot = trap.slot;
  bool with_memory = a.flags & vm;                                      // vfork, posix_spawn: the parent waits, the memory is one
  Pair pair;
  i64 pid;
  Slot *child = slot;
  CloneArgs args{};
  int numbers[1];
  // The kernel writes to it in the child, before that is watched.
  if (a.flags & (child_settid | child_cleartid)) bring_range(a.child_tid, sizeof(u32), true);
  {
    // Home's child and the guest's are to have the same mappings: no other thread changes any between the two.
    Lock lock(&c.lock);
    if (slot->process->want_park) return kAgain;
    if (!with_memory && (shares_memory() || !sure_of_advice(trap))) return go_home_locked(trap, nr_fork);
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

}  // namespace mosrun
