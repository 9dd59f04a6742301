// Home, while away: threads, children and programs. What the guest has of them is in thread-calls.cc, children.cc and exec.cc.
#include <initializer_list>

#include "deputy.h"
#include "syscalls.h"

namespace mosrun {

namespace {

constexpr i64 kSlotPatience = 10'000'000'000;   // ns

Slot *prepare_slot(u64 index) {
  Control &c = control();
  if (!map_slot(index)) return nullptr;
  Slot *slot = slot_at(index);
  if (slot == this_slot() || (slot->tid == c.pid && slot->state == u32(SlotState::used))) return nullptr;
  // The thread that had the slot before may still be on its way out; its stack is here.
  for (i64 until = now() + kSlotPatience; slot->tid && slot->tid != c.pid && sys(nr_tgkill, u64(c.pid), u64(slot->tid), 0) == 0; sys(nr_sched_yield))
    if (now() > until) return nullptr;
  zero(slot, sizeof *slot);
  slot->index = u32(index);
  slot->channel = slot->next_channel = -1;
  if (c.slots <= index) c.slots = u32(index) + 1;
  return slot;
}

void begin_thread(void *argument) { deputy(static_cast<Slot *>(argument)); }

constexpr u64 kThreadFlags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x80000000;   // VM FS FILES SIGHAND THREAD SYSVSEM IO

}  // namespace

void clone_thread(Slot *slot, const Request &r) {
  Control &c = control();
  Lock lock(&c.lock);
  int channel = take_channel(u32(r.args[2]));
  Slot *fresh = channel < 0 ? nullptr : prepare_slot(r.args[1]);
  if (!fresh) {
    if (channel >= 0) sys(nr_close, u64(channel));
    return answer(slot, -EAGAIN_);
  }
  fresh->channel = channel;
  fresh->mask = slot->mask;
  fresh->process = &c.process;
  fresh->state = u32(SlotState::used);
  fresh->tid = 0;
  u64 flags = (r.args[0] & kThreadFlags) | 0x10f00 | 0x100000;                               // and CLONE_PARENT_SETTID
  u64 keep = 0, all = ~0ull;
  sys(nr_rt_sigprocmask, 2, address(&all), address(&keep), 8);
  i64 tid = clone_with_stack(nr_clone, flags, address(fresh) + kStackTop, address(&fresh->tid), begin_thread, fresh);
  if (failed(tid)) {
    fresh->state = u32(SlotState::free);
    sys(nr_close, u64(channel));
  } else {
    add(&c.threads, 1);
    add(&c.inside, 1);
  }
  sys(nr_rt_sigprocmask, 2, address(&keep), 0, 8);
  answer(slot, tid);
}

// The child of a deputy is the deputy of the guest's child. It has the skeleton, one thread, and channels of its own.
void fork_process(Slot *slot, const Request &r) {
  Control &c = control();
  // A child that shares the memory could not open them for writing: its parent would have to come home meanwhile.
  if (r.args[1] != slot->index && maps_files()) return answer(slot, come_home_to_make(nr_vfork));
  // What another thread is about to open or to close would be the child's too, and its number could be another's when the child closes it.
  Lock lock(&c.lock), ending(&c.ending);
  int channel = take_channel(u32(r.args[2])), event = take_channel(u32(r.args[3]));
  if (channel < 0 || event < 0 || r.args[1] >= kMaxSlots) {
    if (channel >= 0) sys(nr_close, u64(channel));
    if (event >= 0) sys(nr_close, u64(event));
    return answer(slot, -EAGAIN_);
  }
  u64 index = r.args[1];
  u64 keep = 0, all = ~0ull;
  sys(nr_rt_sigprocmask, 2, address(&all), address(&keep), 8);
  release_leases();                                                      // the child has the same open files
  // Without the memory meanings of the flags; the exit signal and CLONE_PARENT stay.
  i64 pid = sys(nr_clone, (r.args[0] & (0xff | 0x8000 | 0x200 | 0x80000000)), 0, 0, 0, 0);
  if (pid) {
    sys(nr_rt_sigprocmask, 2, address(&keep), 0, 8);
    sys(nr_close, u64(channel));
    sys(nr_close, u64(event));
    return answer(slot, pid);
  }
  u64 mask = slot->mask;
  leave_stage_to_parent();
  for (u64 i = 0; i < c.slots; ++i)
    if (slot_at(i)->state == u32(SlotState::used)) {
      if (slot_at(i)->channel >= 0) sys(nr_close, u64(slot_at(i)->channel));
      slot_at(i)->state = u32(SlotState::free);
      slot_at(i)->tid = 0;
    }
  sys(nr_close, u64(c.event));
  if (c.maps >= 0) sys(nr_close, u64(c.maps)), c.maps = -1;             // of the parent's memory
  for (Spare &s : c.spares)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
  c.pid = int(sys(nr_getpid));
  c.event = event;
  c.threads = 1;
  c.inside = 1;
  c.parked = 0;
  c.arrived = 0;
  c.phase = u32(Phase::away);
  c.lock = 0;
  c.ending = 0;
  c.lease_lock = 0;
  close_pipe();
  c.breaking = 0;
  c.behind = 0;
  c.writing = 0;
  zero(c.late, sizeof c.late);
  for (volatile u32 *word : {&c.order, &c.nudging, &c.mover_nudges, &c.no_nudges, &c.dropping}) *word = 0;
  c.killed_at = 0;
  zero(c.shown, sizeof c.shown);
  c.views_shown = 0;
  zero(c.held, sizeof c.held);                                           // of the parent
  zero(&c.statistics, sizeof c.statistics);
  c.statistics.last_return = kNotYet;
  c.statistics.migrations = 1;
  Slot *mine = slot;
  c.vfork = index != slot->index;                                        // such a child has its own slot on both sides
  if (c.vfork) {
    mine = prepare_slot(index);
    if (!mine) sys(nr_exit_group, 1);
  }
  mine->index = u32(index);
  mine->state = u32(SlotState::used);
  mine->tid = c.pid;
  mine->channel = channel;
  mine->mask = mask;
  mine->process = &c.process;
  mine->interrupt = 0;
  mine->busy = 0;
  mine->starting = 0;
  mine->in_hand = 0;
  mine->wait_masked = 0;
  mine->fatal = mine->continued = mine->put_off = 0;
  mine->deadline = mine->begun_ip = mine->rest_ip = mine->socket_deadline = 0;
  mine->leader = 1;
  mine->rseq = 0;
  mine->robust_list = 0;
  mine->tid_address = 0;
  if (r.args[0] & kClearSighand) {
    clear_handlers(c.process);
    for (int s = 1; s <= kSignals; ++s) set_home_action(s);
  }
  if (!c.vfork) watch_inherited_files();
  if (mine == slot) deputy(slot);
  // In registers of their own: none of them may be rbp, which is cleared before they are used.
  asm volatile("movq %0, %%rsp; xorl %%ebp, %%ebp; call *%2" ::"a"(address(mine) + kStackTop), "D"(mine), "c"(&begin_thread) : "memory");
  __builtin_unreachable();
}

void exec(Slot *slot, const Request &r, Space &space) {
  u64 args[6], limit;
  if (r.nr != nr_execve && r.nr != nr_execveat) return answer(slot, -ENOSYS_);
  if (!resolve(r, space, args, &limit)) return answer(slot, -EFAULT_);
  if (i64 error = guard_descriptors(r)) return answer(slot, error);
  // On success the channels close with the old program (close-on-exec) and the guest knows.
  release_leases();
  ignore_mapped_files();                                     // their signals, too, would end it
  {
    Lock lock(&control().lock);                              // no child is made meanwhile
    show_real_views(true);
  }
  refuse_nudges(slot);
  i64 error = interruptible(&slot->interrupt, r.nr, args);
  accept_nudges(slot);
  watch_mapped_files();
  answer(slot, error);
}

[[noreturn]] void end_thread(Slot *slot, int status) {
  Control &c = control();
  block_all_signals();
  if (slot->leader) drop_skeleton(1ull << 40);               // what it has not come to yet
  {
    // Without that of the slots: whoever holds it may be waiting for this thread to be gone, to reuse its slot.
    Lock lock(&c.ending);
    sys(nr_close, u64(slot->channel));
    const TimeSpec long_enough{0, 500'000'000};              // for its number to become another's
    if (fails(Fault::home_thread_lingers)) sys(nr_nanosleep, address(&long_enough), 0);
    slot->channel = -1;
    store(&slot->state, u32(SlotState::dying));
  }
  add(&c.threads, -1u);
  add(&c.inside, -1u);
  for (;;) sys(nr_exit, u64(status));
}

}  // namespace mosrun
