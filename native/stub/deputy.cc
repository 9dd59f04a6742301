// Home, while away: one thread per guest thread takes requests from its channel, carries them out and answers. It needs no table to execute,
// only one to refuse: what the table does not allow, and every pointer or length that is not inside the request's own buffers.
#include <initializer_list>

#include "deputy.h"

#include "syscalls.h"
#include "times.h"

namespace mosrun {

void answer(Slot *slot, i64 result, const void *out, u64 length, u32 flags) {
  Control &c = control();
  Reply reply{result, u32(length), flags};
  if (slot->in_hand) slot->told = 1, reply.flags |= kSignalWaits;
  if (slot->interrupt & (2u | kBegun)) {
    if (slot->interrupt & kBegun) reply.flags |= kLetGo;
    __atomic_and_fetch(&slot->interrupt, ~(2u | kBegun), __ATOMIC_ACQ_REL);
  }
  if (load(&c.breaking)) reply.flags |= kDrop;
  IoVec iov[2] = {{address(&reply), sizeof reply}, {reinterpret_cast<u64>(out), length}};
  __atomic_add_fetch(&c.statistics.bytes_out, length + sizeof reply, __ATOMIC_RELAXED);
  slot->home_bytes += length + sizeof reply;
  SendingTime sending(slot);
  if (send_all(slot->channel, iov, length ? 2 : 1)) lose_connection();
}

// Offsets become addresses. A pointer argument must be zero or one of them.
bool resolve(const Request &r, Space &space, u64 *args, u64 *nested_limit) {
  u64 table = u64(r.relocations) * sizeof(Relocation);
  if (table > r.in_size) return false;
  uint8_t *data = space.in + table;
  u64 size = r.in_size - table;
  for (unsigned i = 0; i < 6; ++i) {
    bool in = r.in_pointers >> i & 1, out = r.out_pointers >> i & 1, must = syscalls::pointer_args[r.nr] >> i & 1;
    args[i] = r.args[i];
    if (in && out) return false;
    if (must && !in && !out && args[i] && args[i] != kBadPointer) return false;
    if (in) {
      if (args[i] > size) return false;
      args[i] += address(data);
    }
    if (out) {
      if (args[i] > r.out_size) return false;
      args[i] += address(space.out);
    }
  }
  for (unsigned i = 0; i < r.relocations; ++i) {
    Relocation relocation;                                              // where the guest's memory is at an odd place, so is this
    copy(&relocation, space.in + i * sizeof relocation, sizeof relocation);
    u64 to = relocation.target & ~kInOut;
    if (u64(relocation.position) + 8 > size || to > (relocation.target & kInOut ? u64(r.out_size) : size)) return false;
    u64 value = relocation.target & kInOut ? address(space.out) + to : address(data) + to;
    copy(data + relocation.position, &value, 8);
  }
  *nested_limit = size;
  return true;
}

// The program may use every number but those of the channels.
i64 guard_descriptors(const Request &r) {
  for (unsigned i = 0; i < 6; ++i)
    if ((syscalls::fd_args[r.nr] >> i & 1) && window_touches(r.args[i])) return -EBADF_;
  return 0;
}

namespace {

// --- the smaller operations --------------------------------------------------------------------------------------------------
// The guest thread's mask, and while a signal is in hand nothing more that a handler would take: a second would be caught over the first.
void watch_signals(Slot *slot) { set_real_mask((slot->mask | (slot->in_hand ? handled_signals() : 0)) & ~bit(kControlSignal)); }

void hand_over_signal(Slot *slot) {
  Control &c = control();
  block_all_signals();
  int signal = int(slot->in_hand);
  if (!signal) {
    watch_signals(slot);
    return answer(slot, 0);
  }
  // As it was when the kernel chose this thread: another may have changed it since, as CPython and others do at their end.
  SigAction action = slot->caught_for, &present = c.process.actions[signal - 1];
  Delivery delivery{action, 0, 0, {}};
  if (slot->socket_deadline) delivery.action.flags &= ~u64(0x10000000);        // SA_RESTART does not go for calls that a socket's time-out ends (signal(7))
  slot->socket_deadline = 0;
  copy(delivery.info, slot->info, sizeof delivery.info);
  delivery.old_mask = enter_handler(slot, action);
  delivery.new_mask = slot->mask;
  if ((action.flags & 0x80000000) && present.handler == action.handler) {       // SA_RESETHAND
    present.handler = 0;
    set_home_action(signal);
  }
  __atomic_and_fetch(&slot->interrupt, ~1u, __ATOMIC_ACQ_REL);
  watch_signals(slot);
  answer(slot, signal, &delivery, sizeof delivery);
}

// A signal in hand came before the mask that blocks it, and is handled first: back in the kernel's queue it would be behind others of its number.
void set_mask(Slot *slot, u64 mask) {
  block_all_signals();
  bool first = slot->in_hand && (mask & bit(int(slot->in_hand)));
  if (!first) slot->mask = mask & ~(bit(9) | bit(19));
  watch_signals(slot);
  answer(slot, first ? kRestart : 0);
}

void set_action(Slot *slot, const Request &r, Space &space) {
  u64 signal = r.args[0];
  if (signal < 1 || signal > u64(kSignals) || signal == 9 || signal == 19 || r.in_size != sizeof(SigAction)) return answer(slot, -EINVAL_);
  block_all_signals();
  if (r.args[1] && slot->in_hand) {                                             // its handler comes before the call that makes another of it
    watch_signals(slot);
    return answer(slot, kRestart);
  }
  copy(&control().process.actions[signal - 1], space.in, sizeof(SigAction));
  if (signal != u64(kControlSignal)) set_home_action(int(signal));
  watch_signals(slot);
  answer(slot, 0);
}

// mmap of a file, or a change over a home mapping: done here at the same address, so that home's mappings stay the truth.
void map(Slot *slot, const Request &r) {
  if (r.args[0] % kPage || r.args[1] >> 47 || touches_stub(r.args[0], align_up(r.args[1], kPage))) return answer(slot, -EINVAL_);
  if (r.nr != nr_mmap && r.nr != nr_munmap && r.nr != nr_mprotect && r.nr != nr_madvise) return answer(slot, -ENOSYS_);
  bool of_file = r.nr == nr_mmap && !(r.args[3] & map_anonymous);
  if (of_file && window_touches(r.args[4])) return answer(slot, -EBADF_);
  FileIdentity file{};
  bool executes = false;
  const bool of_system = of_file && identify(int(r.args[4]), file, executes);
  // What is written to the file shows in it (SQLite, LMDB), at once; a guest's copy would not.
  bool shared = of_file && (r.args[3] & 3) != map_private;
  if (shared && (sys(nr_fcntl, r.args[4], 3) & 3) > 0) return answer(slot, come_home_for(nr_mmap));   // F_GETFL, O_ACCMODE
  i64 leased = 0;
  {
    Lock lock(&control().lock);                                          // no child is to get the descriptor unseen
    if (shared) leased = lease_mapped_file(r.args[4], of_system);
    if (!failed(leased)) {
      const u64 end = r.args[0] + align_up(r.args[1], kPage);
      unstage(align_down(r.args[0], kPage), end);
      const i64 result = sys(r.nr, r.args[0], r.args[1], r.args[2], r.args[3], r.args[4], r.args[5]);
      if (failed(result) && leased) sys(nr_close, u64(leased));
      if (!failed(result) && (r.nr == nr_mmap || r.nr == nr_munmap)) change_mapped_files(r.args[0], end, int(leased));
      const bool known = of_system && !shared && !failed(result) && r.out_size >= sizeof file;
      return answer(slot, result, &file, known ? sizeof file : 0, known && executes && control().maps_behind && may_map_again(r.args[4]) ? kMayMap : 0);
    }
  }
  answer(slot, come_home_for(nr_mmap));
}

// Over what it has just mapped of the same file: what could fail for the program has been looked at then.
void map_unheard(Slot *slot, const Request &r) {
  const u64 end = r.args[0] + align_up(r.args[1], kPage), flags = r.args[3];
  const bool of_file = !(flags & map_anonymous);
  if ((r.op != Op::map && r.op != Op::mirror) || r.nr != nr_mmap || r.args[0] % kPage || end <= r.args[0] || end >> 47 || touches_stub(r.args[0], end - r.args[0]) || (flags & 3) != map_private ||
      !(flags & map_fixed) || (of_file && window_touches(r.args[4])))
    lose("its node sent an impossible request");
  begin_unheard(slot);
  {
    Lock lock(&control().lock);
    unstage(r.args[0], end);
    if (failed(sys(nr_mmap, r.args[0], r.args[1], r.args[2], flags, r.args[4], r.args[5]))) lose("home had no room for what its program has mapped");
    change_mapped_files(r.args[0], end, 0);
  }
  answer_behind(slot, 0);
}

void refill(Slot *slot) {
  Control &c = control();
  Lock lock(&c.lock);
  for (Spare &s : c.spares)
    if (s.fd < 0) return answer(slot, open_spare(s));
  answer(slot, 0);
}

// The memory comes home, or stays where it is and all threads with it.
void settle_return(Slot *slot, u32 serial) {
  Control &c = control();
  int channel = slot->channel;
  if (serial) {
    Lock lock(&c.lock);
    channel = take_channel(serial);
    if (channel >= 0 && fails(Fault::home_no_channel)) sys(nr_close, u64(channel)), channel = -1;
  }
  // Before every deputy stands still nothing is settled, a failure neither: one that came later would take it for the return that succeeded.
  wait_for_deputies();
  i64 error = channel < 0 ? -EPROTO_ : receive_home(channel);
  if (channel >= 0 && serial) sys(nr_close, u64(channel));
  if (!error) return;
  // On its own channel nothing can be told apart from what is left of the memory.
  if (!serial) lose(error == -ENOMEM_ ? "home had no room for the memory it came back with" : "the connection broke on the way home");
  c.return_error = int32_t(-error);
  c.parked = 0;
  add(&c.given_up, 1);
  store(&c.phase, u32(Phase::away));
  futex_wake(&c.phase);
}

// The guest's thread goes on, where it was or at the next node, and this one serves it. What brought it home for a call asks again, not at once.
void go_on_away(Slot *slot, bool moved) {
  Control &c = control();
  __atomic_and_fetch(&slot->interrupt, ~2u, __ATOMIC_ACQ_REL);
  if (slot->fatal) c.return_reason == -2 ? die_of(slot) : come_home_to_die();
  TimeSpec pause{0, 200000000};
  if (!moved && c.return_reason != -1) sys(nr_nanosleep, address(&pause), 0);
  watch_signals(slot);
  Reply verdict{kStayAway, 0, 0};
  if (!moved && send_all(slot->channel, &verdict, sizeof verdict)) lose_connection();
  if (slot->leader && any_held()) come_home_to_die();
  if (moved) come_home_for_mapping();
  else come_home_later();
  if (moved && slot->in_hand) slot->told = 1, tell_signal(slot);         // the guest that knew of it is gone
}


void park(Slot *slot, const Request &r) {
  Control &c = control();
  Slot incoming;
  block_all_signals();
  if (r.in_size < sizeof incoming || r.in_size > sizeof incoming + kFrameSize) lose("its node sent a damaged thread");
  if (receive_all(slot->channel, &incoming, sizeof incoming)) lose("the connection broke on the way home");
  u64 length = r.in_size - sizeof incoming;
  if (receive_all(slot->channel, saved_frame(slot), length)) lose("the connection broke on the way home");
  slot->frame_length = length;
  // A signal may be delivered on this frame here: what it says of its FPU state must be in it.
  u64 state = length > kXstateInFrame ? length - kXstateInFrame : 0;
  auto *fp = reinterpret_cast<uint8_t *>(saved_frame(slot)) + kXstateInFrame;
  if (length < sizeof(Frame) || (state && (state < 512 || xstate_size(fp) > state))) lose("its node sent a damaged thread");
  saved_frame(slot)->context.regs.fpstate = state ? address(fp) : 0;
  slot->altstack = incoming.altstack;
  slot->fs_base = incoming.fs_base;
  slot->gs_base = incoming.gs_base;
  slot->robust_list = incoming.robust_list;
  slot->robust_length = incoming.robust_length;
  slot->tid_address = incoming.tid_address;
  slot->rseq = incoming.rseq;
  slot->rseq_length = incoming.rseq_length;
  slot->rseq_signature = incoming.rseq_signature;
  slot->deadline = incoming.deadline;
  slot->deadline_ip = incoming.deadline_ip;
  slot->begun_ip = incoming.begun_ip;
  leave_socket_time(slot);
  slot->rest_ip = incoming.rest_ip;
  slot->rest_done = incoming.rest_done;
  u32 given_up = load(&c.given_up), moved_on = load(&c.moved_on);
  slot->put_off = 0;
  add(&c.parked, 1);
  futex_wake(&c.parked);
  if (r.args[0]) r.args[2] ? settle_move(slot, -i64(minimum<u64>(r.args[3], 4095))) : settle_return(slot, u32(r.args[1]));
  auto settled = [&] { return load(&c.given_up) != given_up || load(&c.moved_on) != moved_on; };
  for (u32 phase; stands_still(phase = load(&c.phase)) && !settled();) futex_wait(&c.phase, phase, 50000000);
  if (!settled()) leave_stub(slot);
  go_on_away(slot, load(&c.moved_on) != moved_on);
}

// The process moves, and has been told so: the thread is to park. A guest that only asks again does not get a processor of its home for it, and
// has no end of time: its node, or the program itself in the stub's place, breaks the rules.
void put_off(Slot *slot) {
  constexpr u32 kAtOnce = 64, kLast = 30'000;
  const TimeSpec pause{0, 1'000'000};
  if (++slot->put_off > kLast) lose("its node did not stop it, to come home or to move on");
  if (slot->put_off > kAtOnce) sys(nr_nanosleep, address(&pause), 0);
  __atomic_or_fetch(&slot->interrupt, 2u, __ATOMIC_ACQ_REL);
  answer(slot, kRestart);
}

void handle(Slot *slot, const Request &r) {
  Control &c = control();
  RequestTime time(slot, r);
  if (r.op == Op::park) return park(slot, r);
  if (r.in_size > kTransferMax || r.out_size > kTransferMax || r.out_fixed > r.out_size || r.nr >= syscalls::count) lose("its node sent an impossible request");
  Space space;
  if (!space.open(slot, r)) lose("there is no memory at home for its call");
  if (r.in_size && receive_all(slot->channel, space.in, r.in_size)) lose_connection();
  if (r.op != Op::dump) await_behind(r.after);
  time.begin();
  __atomic_add_fetch(&c.statistics.calls, 1, __ATOMIC_RELAXED);
  __atomic_add_fetch(&c.statistics.bytes_in, r.in_size + sizeof r, __ATOMIC_RELAXED);
  bool starts_something = r.op == Op::call || r.op == Op::clone || r.op == Op::fork || r.op == Op::exec;
  if (r.op == Op::call && r.flags & kNotWaitedFor) call_unheard(slot, r, space);
  else if (r.op != Op::fetch && r.op != Op::read && r.op != Op::statuses && r.flags & kNotWaitedFor) map_unheard(slot, r);
  else if (starts_something && stands_still(load(&c.phase))) put_off(slot);
  else if (starts_something && load(&c.breaking)) answer(slot, kRestart);   // the writer is not to wait for it
  else switch (r.op) {
    case Op::call: call(slot, r, space); break;
    case Op::get_signal: hand_over_signal(slot); break;
    case Op::set_mask: set_mask(slot, r.args[0]); break;
    case Op::set_action: set_action(slot, r, space); break;
    case Op::clone: clone_thread(slot, r); break;
    case Op::fork: fork_process(slot, r); break;
    case Op::exec: exec(slot, r, space); break;
    case Op::exit: end_thread(slot, int(r.args[0]));
    case Op::exit_group: for (;;) sys(nr_exit_group, r.args[0]);
    case Op::come_home:
      if (r.args[1] == 1 && refuses_call(i64(r.args[0]))) {
        answer(slot, -ENOSYS_);
        break;
      }
      if (r.args[1] == 1 && waits_for_room(u32(r.args[0]))) {
        answer(slot, kRestart);
        break;
      }
      start_return(int(i64(r.args[0])), true);
      answer(slot, 0);
      break;
    case Op::dump: break;                                                // of a move on that was given up meanwhile
    case Op::fetch: fetch(slot, r, space); break;
    case Op::map: case Op::mirror: map(slot, r); break;
    case Op::refill: refill(slot); break;
    case Op::advice: advice(slot); break;
    case Op::lease: lease(slot, r); break;
    case Op::read: read_ahead(slot, r, space); break;
    case Op::statuses: statuses(slot, r, space); break;
    case Op::settle: settle(slot, r, space); break;
    case Op::view: view(slot, r, space); break;
    default: lose("its node sent an unknown request");
  }
  space.close();
}

}  // namespace

int take_channel(u32 serial) {
  for (Spare &s : control().spares)
    if (s.fd >= 0 && s.index == serial) {
      int fd = s.fd;
      s.fd = -1;
      return fd;
    }
  return -1;
}

bool window_touches(u64 fd) {
  Control &c = control();
  u32 n = u32(fd);
  if (n < u32(c.window) || n >= u32(c.window_end)) return false;
  if (int(n) == c.event || int(n) == c.proc || int(n) == c.maps || int(n) == c.pipe[0] - 1 || int(n) == c.pipe[1] - 1) return true;
  for (Spare &s : c.spares)
    if (s.fd == int(n)) return true;
  if (is_mapped_file(int(n))) return true;
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->state == u32(SlotState::used) && slot_at(i)->channel == int(n)) return true;
  return false;
}

[[noreturn]] void deputy(Slot *slot) {
  Control &c = control();
  take_socket_time(slot);
  begin_times(slot);
  watch_signals(slot);
  for (;;) {
    Request r{};
    while (slot->leader && c.drop_next < c.book_entries && wait_readable(slot->channel, 0) == 0) drop_skeleton(4 << 20);
    if (receive_all(slot->channel, &r, sizeof r)) lose_connection();
    slot->busy = 1;
    if (r.magic != kRequestMagic) lose("its node sent something that is no request");
    handle(slot, r);
    slot->busy = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (slot->in_hand && !slot->told) slot->told = 1, tell_signal(slot);      // caught after the answer was made up
  }
}

}  // namespace mosrun
