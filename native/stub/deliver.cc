// Guest: everything that reaches a thread from outside its own calls. One real signal is used for it, and only where the program's own context is in
// the frame does it have an effect: signals of the program are delivered, the thread stands still, or it parks to go home.
#include <initializer_list>

#include "stub.h"
#include "syscalls.h"

namespace mosrun {

bool in_clocks(u64 ip) {
  Control &c = control();
  return ip - (base() + kVdsoOffset) < kVdsoSize || within(ip, clocks_begin, clocks_end) || (ip >= c.vdso_start && ip < c.vdso_end);
}

namespace {

constexpr u64 kTrapFlag = 0x100;

bool on_altstack(const AltStack &s, u64 sp) { return s.size && sp > s.sp && sp - s.sp <= s.size; }

// Size of the FPU state at `fp`, as the kernel lays it out (arch/x86/kernel/fpu/signal.c). The word behind magic1 counts: 464 is the magic itself.
u32 xstate_size(const uint8_t *fp) {
  u32 magic, size = 512;
  copy(&magic, fp + 464, 4);
  if (magic == kFpMagic1) copy(&size, fp + 468, 4);
  return size;
}

// A handler starts with the FPU in its initial state; of the state only the protection keys stay.
void reset_fpu(uint8_t *fp) {
  u64 keep;
  u32 magic, control_word = 0x37f, mxcsr = 0x1f80;
  copy(&magic, fp + 464, 4);
  if (magic == kFpMagic1) {
    copy(&keep, fp + 512, 8);
    keep &= 1ull << 9;
    copy(fp + 512, &keep, 8);
  }
  zero(fp, 416);
  copy(fp, &control_word, 2);
  copy(fp + 24, &mxcsr, 4);
}

constexpr i64 kPatience = 10000;                                                // ms without progress on the way home

// The program's clear_child_tid and robust list need nothing here: the kernel of this node has them.
void park(Slot *slot, Context *context);

void stand_still(Slot *slot) {
  Process *p = slot->process;
  while (load(&p->stopped)) {
    // The thread that holds the event channel reads on; the others wait for it.
    if (!__atomic_exchange_n(&p->event_lock, 1u, __ATOMIC_ACQ_REL)) {
      wait_readable(p->event, -1);
      store(&p->event_lock, 0);
      note_events(slot);
      if (p->want_park) return;
    } else {
      futex_wait(&p->stopped, 1, 50000000);
    }
  }
}

void take_event(Slot *slot, const Event &event) {
  Process *p = slot->process;
  Control &c = control();
  switch (event.type) {
    case EventType::signal:
      if (event.slot < c.slots && slot_at(event.slot)->process == p && slot_at(event.slot)->state == u32(SlotState::used)) {
        Slot *to = slot_at(event.slot);
        to->signal_waits = 1;
        if (to != slot) sys(nr_tgkill, u64(p->pid), u64(to->tid), kControlSignal);
      }
      break;
    case EventType::home: call_home(p); break;
    case EventType::stop:
      store(&p->stopped, 1);
      call_threads(p, slot);
      break;
    case EventType::resume:
      store(&p->stopped, 0);
      futex_wake(&p->stopped);
      break;
  }
}

}  // namespace

// Reads what has come on the event channel. One thread reads at a time; whoever finds the lock taken leaves it to the holder, who looks again after
// letting go, so that nothing is left unread.
void note_events(Slot *slot) {
  Process *p = slot->process;
  for (;;) {
    if (__atomic_exchange_n(&p->event_lock, 1u, __ATOMIC_ACQ_REL)) return;
    for (;;) {
      Event event{};
      i64 n = sys(nr_recvfrom, u64(p->event), address(&event), sizeof event, msg_dontwait | msg_peek, 0, 0);
      if (n == 0 || (n < 0 && n != -EAGAIN_ && n != -EINTR_)) guest_dies(1);   // home is gone
      if (n < i64(sizeof event)) break;
      sys(nr_recvfrom, u64(p->event), address(&event), sizeof event, msg_dontwait, 0, 0);
      take_event(slot, event);
    }
    store(&p->event_lock, 0);
    if (wait_readable(p->event, 0) <= 0) return;
    uint8_t rest[sizeof(Event)];
    if (sys(nr_recvfrom, u64(p->event), address(rest), sizeof rest, msg_dontwait | msg_peek, 0, 0) == i64(sizeof rest)) continue;
    return;
  }
}

// Writes a signal frame onto the program's stack and points the context at the handler, as the kernel does (arch/x86/kernel/signal_64.c).
bool deliver(Slot *slot, Context *context, const SigAction &action, const uint8_t *info, u64 old_mask) {
  Registers &regs = context->regs;
  int signal;
  copy(&signal, info, 4);
  bool on = !(slot->altstack.flags & int(0x80000000)) && on_altstack(slot->altstack, regs.sp);
  u64 sp = regs.sp - 128;
  if ((action.flags & 0x08000000) && slot->altstack.size && !on) sp = slot->altstack.sp + slot->altstack.size;   // SA_ONSTACK
  auto *fp = pointer<uint8_t>(regs.fpstate);
  u32 size = fp ? xstate_size(fp) : 0;
  u64 fp_to = align_down(sp - size, 64);
  u64 to = align_down(fp_to - sizeof(Frame), 16) - 8;
  Frame frame{};
  frame.restorer = action.restorer;
  frame.context.flags = context->flags;
  frame.context.stack = slot->altstack;
  frame.context.stack.flags = (slot->altstack.flags & int(0x80000000)) | (!slot->altstack.size ? 2 : on ? 1 : 0);
  frame.context.regs = regs;
  frame.context.regs.fpstate = fp ? fp_to : 0;
  frame.context.mask = old_mask;
  copy(frame.info, info, sizeof frame.info);
  if (to >> 47 || copy_program(pointer<void>(to), &frame, sizeof frame) || (size && copy_program(pointer<void>(fp_to), fp, size))) return false;
  if (fp) reset_fpu(fp);
  if (slot->altstack.flags & int(0x80000000)) slot->altstack = {0, 2, 0, 0};    // SS_AUTODISARM
  regs.di = u64(signal);
  regs.si = to + offsetof(Frame, info);
  regs.dx = to + offsetof(Frame, context);
  regs.ax = 0;
  regs.ip = action.handler;
  regs.sp = to;
  regs.flags &= ~u64(0x400 | 0x10000 | kTrapFlag);                              // DF, RF, TF
  slot->deadline = 0;
  return true;
}

// A native futex wait was interrupted and rewound by our own handler's SA_RESTART: the program has begun it all the same.
static bool at_native_futex(const Registers &regs) {
  uint8_t code[2] = {};
  return regs.ax == u64(nr_futex) && !in_blob(regs.ip) && !copy_program(code, pointer<void>(regs.ip), 2) && code[0] == 0x0f && code[1] == 0x05;
}

// The kernel's rule for a call that a handler interrupts (arch/x86/kernel/signal.c), for one that has been let go and would be issued again.
void end_begun_call(Slot *slot, Registers &regs, u64 action_flags) {
  bool here = slot->begun_ip && slot->begun_ip == regs.ip + 2 && regs.ax < syscalls::count;
  slot->begun_ip = 0;
  if (!here) return;
  auto restart = syscalls::calls[regs.ax].restart;
  if (restart == syscalls::Restart::none || (restart == syscalls::Restart::sys && (action_flags & 0x10000000))) return;   // SA_RESTART
  i64 rest = slot->deadline && slot->deadline_ip == regs.ip + 2 ? maximum<i64>(0, i64(slot->deadline) - now()) : 0;
  u64 rest_to = regs.ax == u64(nr_nanosleep) ? regs.si : regs.ax == u64(nr_clock_nanosleep) && !(regs.si & 1) ? regs.r10 : 0;
  TimeSpec left{rest / 1000000000, rest % 1000000000};
  if (rest_to && slot->deadline) copy_program(pointer<void>(rest_to), &left, sizeof left);
  regs.ax = u64(-EINTR_);
  regs.ip += 2;
}

// Fetches signals from the deputy until it has none; each sets the mask for the next.
void deliver_waiting(Slot *slot, Context *context) {
  for (;;) {
    slot->signal_waits = 0;
    Delivery d{};
    Request r{};
    r.op = Op::get_signal;
    r.out_size = sizeof d;
    IoVec in[1], out[1] = {{address(&d), sizeof d}};
    Reply reply{};
    i64 signal = exchange(slot, r, in, 1, out, 1, reply);
    if (signal <= 0) return;
    slot->mask = d.new_mask;
    if (d.action.flags & 0x80000000) slot->process->actions[signal - 1].handler = 0;   // SA_RESETHAND
    if (at_native_futex(context->regs)) slot->begun_ip = context->regs.ip + 2;
    end_begun_call(slot, context->regs, d.action.flags);
    if (!deliver(slot, context, d.action, d.info, d.old_mask)) {
      Trap trap{slot, context, false};                                          // no room for the frame: at home this is SIGSEGV
      go_home(trap, -2);
      return;
    }
    if (!(reply.flags & kSignalWaits) && !slot->signal_waits) return;
  }
}

void guest_altstack(Slot *slot) {
  AltStack real{address(slot) + kStackLow, 0, 0, kSlotSize - kStackLow};
  sys(nr_sigaltstack, address(&real), 0);
}

namespace {

void act(Slot *slot, Context *context) {
  if (slot->process->stopped) stand_still(slot);
  if (slot->process->want_park) park(slot, context);
  if (slot->signal_waits) deliver_waiting(slot, context);
  if (slot->process->want_park || slot->process->stopped) sys(nr_tgkill, u64(slot->process->pid), u64(slot->tid), kControlSignal);
}

extern "C" void guest_control(int, uint8_t *, Context *context) {
  Slot *slot = this_slot();
  u64 &ip = context->regs.ip;
  note_events(slot);
  if (in_clocks(ip)) {                                                          // not the program's own code: step out first
    if (slot->process->want_park || slot->signal_waits || slot->process->stopped) {
      slot->stepping = 1;
      context->regs.flags |= kTrapFlag;
    }
    return;
  }
  if (in_blob(ip)) {                                                            // a wait inside the stub: it looks for itself
    slot->interrupt = 1;
    slot->recall = 1;
    if (ip >= address(interruptible_test) && ip <= address(interruptible_call)) ip = address(interruptible_let_go);
    return;
  }
  act(slot, context);
}

// Faults are the program's own unless they happen where the stub touches the program's memory, or where a page is still at home.
extern "C" void guest_fault(int signal, uint8_t *info, Context *context) {
  Slot *slot = this_slot();
  u64 &ip = context->regs.ip;
  u64 at;
  copy(&at, info + 16, 8);
  if (signal == 7 && fetch_page(slot, at)) return;
  if (within(ip, access_begin, access_end)) {
    ip = address(access_fault);
    return;
  }
  if (signal == 5 && slot->stepping) {
    if (in_clocks(ip)) return;
    slot->stepping = 0;
    context->regs.flags &= ~kTrapFlag;
    act(slot, context);
    return;
  }
  if (in_blob(ip)) guest_dies(128 + signal);
  SigAction action = slot->process->actions[signal - 1];
  int code;
  copy(&code, info + 8, 4);
  Trap trap{slot, context, false};
  if (action.handler <= 1 || slot->mask & bit(signal)) {                        // fatal: the real signal, core and message are those of home
    go_home(trap, -2);
    return;
  }
  u64 old = slot->mask;
  slot->mask |= action.mask | (action.flags & 0x40000000 ? 0 : bit(signal));
  slot->mask &= ~(bit(9) | bit(19));
  if (action.flags & 0x80000000) slot->process->actions[signal - 1].handler = 0;
  if (!deliver(slot, context, action, info, old)) {
    slot->mask = old;
    go_home(trap, -2);
    return;
  }
  if (slot->mask != old) ask(trap, Op::set_mask, 0, slot->mask);
  if (trap.signal_waits || slot->signal_waits) deliver_waiting(slot, context);
}

// --- going home --------------------------------------------------------------------------------------------------------------
bool stays(const Mapping &m) { return (m.kind == Kind::file_private && !(m.flags & kWritten)) || m.kind == Kind::file_shared || m.kind == Kind::vdso; }

// The list for home: what the guest has now; kWritten where its pages travel. Pieces of mappings that lie at home unchanged are cut out.
u64 list_for_home(Slot *slot, Mapping *list) {
  Control &c = control();
  auto *book = pointer<Mapping>(base() + kBookOffset);
  u64 count = read_mappings(c.maps, list, kListMax - c.book_entries * 2);
  if (!count) guest_dies(1);
  u64 kept = 0;
  for (u64 i = 0; i < count; ++i) {                                             // the guest's own vsyscall page
    if (list[i].end > 1ull << 47) continue;
    list[kept++] = list[i];
  }
  count = kept;
  for (u64 i = 0; i < count; ++i) list[i].flags = kWritten;
  for (u64 i = 0; i < count; ++i) {
    Mapping *b = nullptr;
    for (u64 j = 0; j < c.book_entries; ++j)
      if (book[j].start < list[i].end && list[i].start < book[j].end && (!b || book[j].start < b->start)) b = &book[j];
    if (!b) continue;
    u64 start = maximum(b->start, list[i].start), end = minimum(b->end, list[i].end);
    Mapping whole = list[i];
    u64 pieces = u64(whole.start < start) + 1 + u64(end < whole.end);
    for (u64 k = count; k > i + 1; --k) list[k - 1 + pieces - 1] = list[k - 1];
    u64 at = i;
    if (whole.start < start) list[at] = whole, list[at++].end = start;
    list[at] = whole;
    list[at].start = start;
    list[at].end = end;
    list[at].kind = b->kind;
    if (stays(*b)) list[at].flags = 0;
    if (end < whole.end) list[at + 1] = whole, list[at + 1].start = end;
    count += pieces - 1;
    i = at;
  }
  (void)slot;
  return count;
}

// The kernel gives up a thread's share of the memory after clearing its tid word and walking its robust list (exit_mm in kernel/exit.c). Its number
// tells less: a first thread keeps it until the process ends.
bool has_memory(int tid) {
  uint8_t byte;
  IoVec local{address(&byte), 1}, remote{base(), 1};
  return sys(nr_process_vm_readv, u64(tid), address(&local), 1, address(&remote), 1, 0) != -ESRCH_;
}

// Threads that have said goodbye may still be on their way out: the kernel has yet to clear their tid words and wake who waits for them.
void wait_for_ended_threads(Process *p) {
  Control &c = control();
  for (u32 i = 0; i < c.slots; ++i)
    while (slot_at(i)->state == u32(SlotState::dying) && slot_at(i)->process == p && sys(nr_tgkill, u64(p->pid), u64(slot_at(i)->tid), 0) == 0 && has_memory(slot_at(i)->tid))
      sys(nr_sched_yield);
}

// All of the memory. What fails here home sees by itself.
i64 dump(Slot *slot, int channel) {
  Control &c = control();
  wait_for_ended_threads(slot->process);
  auto *list = pointer<Mapping>(base() + kListOffset);
  u64 count = list_for_home(slot, list);
  Request r{};
  r.magic = kRequestMagic;
  r.op = Op::dump;
  r.args[0] = u64(sys(nr_brk, 0));
  r.args[1] = c.frozen_at;
  Sent sent{};
  i64 error = fails(Fault::dump_cut_at_start) ? sys(nr_shutdown, u64(channel), 2), -EPIPE_ : send_all(channel, &r, sizeof r);
  if (!error) error = send_record(channel, Record::mappings, u32(count), list, count * sizeof(Mapping));
  for (u64 i = 0; i < count && !error; ++i) {
    const Mapping &m = list[i];
    if (!(m.flags & kWritten)) continue;
    if (sent.pages && fails(Fault::dump_silent)) return 0;
    if (sent.pages && fails(Fault::dump_cut_at_pages)) return sys(nr_shutdown, u64(channel), 2), -EPIPE_;
    if (!(m.prot & prot_read)) sys(nr_mprotect, m.start, m.end - m.start, prot_read);
    error = send_pages(channel, c.pagemap, m.start, m.end, true, buffer(slot), sent);
    if (!(m.prot & prot_read)) sys(nr_mprotect, m.start, m.end - m.start, m.prot);
  }
  return error ? error : send_record(channel, Record::end, 0, nullptr, 0);
}

// A channel for the memory alone, so that what happens to it on the way does not cut the threads off from home. Called when all stand still.
Spare channel_for_memory(Slot *slot) {
  Spare spare{-1, 0};
  Trap trap{slot, nullptr, false};
  Lock lock(&control().lock);
  if (fails(Fault::dump_no_spare) || !take_spare(trap, spare)) return {-1, 0};
  set_timeout(spare.fd, kPatience, true);
  return spare;
}

// Home could not take it. Every thread hears so on its own channel; none goes on before all have, so that they are counted anew at the next order.
void stay_away(Process *p) {
  if (!__atomic_exchange_n(&p->staying, 1u, __ATOMIC_ACQ_REL)) store(&p->want_park, 0);
  if (add(&p->parked, -1u) == 0) {
    store(&p->staying, 0);
    futex_wake(&p->staying);
  }
  while (load(&p->staying)) futex_wait(&p->staying, 1, 20000000);
}

// The thread's registers go home. If home then has everything, the channel ends and this process with it; if not, the thread goes on here.
void park(Slot *slot, Context *context) {
  Control &c = control();
  Process *p = slot->process;
  Frame *frame = saved_frame(slot);
  auto *fp = pointer<uint8_t>(context->regs.fpstate);
  u32 size = fp ? xstate_size(fp) : 0;
  if (at_native_futex(context->regs)) slot->begun_ip = context->regs.ip + 2;
  frame->restorer = 0;
  frame->context = *context;
  frame->context.regs.flags &= ~kTrapFlag;
  if (fp) copy(reinterpret_cast<uint8_t *>(frame) + kXstateInFrame, fp, minimum<u64>(size, kFrameSize - kXstateInFrame));
  frame->context.regs.fpstate = fp ? address(frame) + kXstateInFrame : 0;
  slot->frame_length = kXstateInFrame + size;
  slot->fs_base = read_fs();
  slot->gs_base = read_gs();
  if (!slot->index || !c.frozen_at) c.frozen_at = u64(now());
  bool last;
  {
    Lock lock(&c.lock);                                                         // threads begin and end under it
    if (!p->parked) c.frozen_at = u64(now());
    last = add(&p->parked, 1) == p->threads;
  }
  if (last && !have_own_files()) guest_dies(1);
  Request r{};
  r.magic = kRequestMagic;
  r.op = Op::park;
  r.in_size = u32(sizeof *slot + slot->frame_length);
  r.args[0] = last;
  Spare memory{-1, 0};
  if (last) memory = channel_for_memory(slot);
  if (memory.fd >= 0) r.args[1] = memory.index;
  IoVec iov[3] = {{address(&r), sizeof r}, {address(slot), sizeof *slot}, {address(frame), slot->frame_length}};
  if (send_all(slot->channel, iov, 3)) guest_dies(1);
  if (last && dump(slot, memory.fd >= 0 ? memory.fd : slot->channel) && memory.fd < 0) guest_dies(1);
  Reply verdict{};
  if (receive_all(slot->channel, &verdict, sizeof verdict) || verdict.result != kStayAway) guest_dies(1);
  if (memory.fd >= 0) sys(nr_close, u64(memory.fd));
  stay_away(p);
}

}  // namespace

bool have_own_files() {
  Control &c = control();
  if (c.maps < 0) c.maps = int(sys(257, kOwnFile, kOwnMaps, 0x80000));           // openat, O_CLOEXEC
  if (c.pagemap < 0) c.pagemap = int(sys(257, kOwnFile, kOwnPagemap, 0x80000));
  return c.maps >= 0 && c.pagemap >= 0;
}

void install_guest_handlers() {
  SigAction act{};
  act.restorer = address(restorer);
  act.mask = ~(bit(11) | bit(7) | bit(8) | bit(4) | bit(5));                    // faults inside a handler are ours to see
  act.flags = 0x0c000004;                                                       // SA_RESTORER | SA_ONSTACK | SA_SIGINFO
  act.handler = address(&guest_trap);
  sys(nr_rt_sigaction, 31, address(&act), 0, 8);
  act.handler = address(&guest_fault);
  act.flags |= 0x40000000;                                                      // SA_NODEFER: a page may be fetched inside a fault handler
  for (int s : {11, 7, 8, 4, 5}) sys(nr_rt_sigaction, u64(s), address(&act), 0, 8);
  act.handler = address(&guest_control);
  act.flags = 0x1c000004;                                                       // and SA_RESTART, for native futex waits
  for (int s : {kControlSignal, 29}) sys(nr_rt_sigaction, u64(s), address(&act), 0, 8);   // SIGIO: the control signal's queue was full
  act = {1, 0, 0, 0};
  sys(nr_rt_sigaction, 13, address(&act), 0, 8);
}

}  // namespace mosrun
