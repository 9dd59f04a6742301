// Guest: everything that reaches a thread from outside its own calls. One real signal is used for it, and only where the program's own context is in
// the frame does it have an effect: signals of the program are delivered, the thread stands still, or it parks to go home.
#include <initializer_list>

#include "stub.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

bool in_clocks(u64 ip) {
  Control &c = control();
  return ip != c.vdso_clock && (ip - (base() + kVdsoOffset) < kVdsoSize || within(ip, clocks_begin, clocks_end) || (ip >= c.vdso_start && ip < c.vdso_end));
}

namespace {

bool on_altstack(const AltStack &s, u64 sp) { return s.size && sp > s.sp && sp - s.sp <= s.size; }

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
    case EventType::home:
      if (p == &c.process) c.stage_at_home = event.argument;
      call_home(p);
      break;
    case EventType::ahead:
      if (p == &c.process) copy_ahead(event.argument & 0xffff, event.slot, event.kept);
      break;
    case EventType::drop: drop_reads(slot); break;
    case EventType::on: {
      Lock lock(&c.lock);
      p->memory = event.argument;
      if (!p->want_park) store(&p->want_park, kOn);
      call_threads(p, nullptr);
      break;
    }
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
      if (n == 0 || (n < 0 && n != -EAGAIN_ && n != -EINTR_)) guest_dies(Ending::disconnected);   // home is gone
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

// Where the program may have no memory: a fault is told in the guest alone (guest_fault).
i64 put(u64 to, const void *from, u64 n) {
  if (control().side == u32(Side::guest)) return copy_program(pointer<void>(to), from, n);
  IoVec local{address(from), n}, remote{to, n};
  return sys(nr_process_vm_writev, sys(nr_gettid), address(&local), 1, address(&remote), 1, 0) == i64(n) ? 0 : -EFAULT_;
}

// Writes a signal frame onto the program's stack and points the context at the handler, as the kernel does (arch/x86/kernel/signal_64.c).
bool deliver(Slot *slot, Context *context, const SigAction &action, const uint8_t *info, u64 old_mask) {
  Registers &regs = context->regs;
  int signal;
  copy(&signal, info, 4);
  bool disarms = slot->altstack.flags & int(0x80000000), on = !disarms && on_altstack(slot->altstack, regs.sp);
  u64 sp = regs.sp - 128;
  bool enters = (action.flags & 0x08000000) && slot->altstack.size && (disarms || !on_altstack(slot->altstack, sp));   // SA_ONSTACK
  if (enters) sp = slot->altstack.sp + slot->altstack.size;
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
  if ((on || enters) && !on_altstack(slot->altstack, to)) return false;         // too small
  if (to >> 47 || touches_stub(to, sp - to) || put(to, &frame, sizeof frame) || (size && put(fp_to, fp, size))) return false;
  if (fp) reset_fpu(fp);
  if (disarms) slot->altstack = {0, 2, 0, 0};    // SS_AUTODISARM
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
bool at_native_futex(const Registers &regs) {
  uint8_t code[2] = {};
  return regs.ax == u64(nr_futex) && !in_blob(regs.ip) && !copy_program(code, pointer<void>(regs.ip), 2) && code[0] == 0x0f && code[1] == 0x05;
}

// futex(2) has a class for each operation (kernel/futex): those of a lock are always restarted, a wait by its restart block if it has a time-out.
syscalls::Restart restart_of(const Registers &regs) {
  if (regs.ax != u64(nr_futex)) return syscalls::calls[regs.ax].restart;
  u64 op = regs.si & 0x7f;
  if (op != 0 && op != 9) return syscalls::Restart::none;                       // FUTEX_WAIT, FUTEX_WAIT_BITSET
  return regs.r10 ? syscalls::Restart::block : syscalls::Restart::sys;
}

// What is left of the time of a call that has been ended goes where the program is to find it. A sleep that cannot tell it fails for that;
// select and poll do not (fs/select.c, poll_select_finish). Nobody here knows whether the program has STICKY_TIMEOUTS (personality(2)), which none has.
i64 tell_rest(const Registers &regs, i64 rest) {
  constexpr u64 absolute = 1;
  const TimeSpec left{rest / 1000000000, rest % 1000000000}, in_microseconds{left.seconds, left.nanoseconds / 1000};
  auto tell = [](u64 to, const TimeSpec &time) { return to ? copy_program(pointer<void>(to), &time, sizeof time) : 0; };
  switch (regs.ax) {
    case nr_nanosleep: return tell(regs.si, left);
    case nr_clock_nanosleep: return regs.si & absolute ? 0 : tell(regs.r10, left);
    case nr_ppoll: return tell(regs.dx, left), 0;
    case syscalls::nr_pselect6: return tell(regs.r8, left), 0;
    case syscalls::nr_select: return tell(regs.r8, in_microseconds), 0;
    default: return 0;
  }
}

// The kernel's rule for a call that a handler interrupts (arch/x86/kernel/signal.c), for one that has been let go and would be issued again.
void end_begun_call(Slot *slot, Registers &regs, u64 action_flags) {
  bool partly = slot->rest_ip && slot->rest_ip == regs.ip + 2;
  slot->rest_ip = 0;
  if (partly) {                                                                 // what is done is done, whatever the handler's flags
    slot->begun_ip = 0;
    regs.ax = slot->rest_done;
    regs.ip += 2;
    return;
  }
  bool here = slot->begun_ip && slot->begun_ip == regs.ip + 2 && regs.ax < syscalls::count;
  slot->begun_ip = 0;
  if (!here) return;
  auto restart = restart_of(regs);
  bool timed = slot->deadline && slot->deadline_ip == regs.ip + 2;              // by its socket: SA_RESTART does not go for those (signal(7))
  if (restart == syscalls::Restart::none || (restart == syscalls::Restart::sys && !timed && (action_flags & 0x10000000))) return;   // SA_RESTART
  const bool has_end = slot->deadline && slot->deadline_ip == regs.ip + 2;
  const bool bad = has_end && tell_rest(regs, maximum<i64>(0, i64(slot->deadline) - now()));
  regs.ax = u64(bad ? -EFAULT_ : -EINTR_);
  regs.ip += 2;
}

// There is no room for the handler's frame. The signal is pending again, and home's kernel says what becomes of the process: SIGSEGV.
void give_back(Slot *slot, Context *context, Delivery &d) {
  Trap trap{slot, context, false};
  u32 signal;
  copy(&signal, d.info, 4);
  if (d.action.flags & 0x80000000) tell_action(trap, signal, d.action);
  slot->mask = d.old_mask;
  ask(trap, Op::set_mask, 0, slot->mask);
  u64 args[6] = {u64(slot->process->pid), u64(slot->tid), signal, address(d.info), 0, 0};
  forward_call(trap, nr_rt_tgsigqueueinfo, args);
  go_home(trap, -2);
}

// Fetches signals from the deputy until it has none; each sets the mask for the next.
void deliver_waiting(Slot *slot, Context *context) {
  age_look();
  for (;;) {
    slot->signal_waits = 0;
    Delivery d{};
    Request r{};
    r.op = Op::get_signal;
    r.out_size = sizeof d;
    IoVec in[1], out[1] = {{address(&d), sizeof d}};
    Reply reply{};
    i64 signal = exchange(slot, r, in, 1, out, 1, reply);
    if (signal <= 0 && (reply.flags & kSignalWaits)) continue;                  // caught while the answer was made
    if (signal <= 0) return;
    if (signal > kSignals || reply.out_size != sizeof d) guest_dies(Ending::nonsense);   // no home says that
    slot->mask = d.new_mask;
    SigAction &present = slot->process->actions[signal - 1];
    if ((d.action.flags & 0x80000000) && present.handler == d.action.handler) present.handler = 0;   // SA_RESETHAND
    if (at_native_futex(context->regs)) slot->begun_ip = context->regs.ip + 2;
    end_begun_call(slot, context->regs, d.action.flags);
    if (!deliver(slot, context, d.action, d.info, d.old_mask)) {
      give_back(slot, context, d);
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

// An instruction that traps has been done when the signal comes (int3, int $3, int1): home is to do it again.
u64 trap_length(int signal, const Registers &regs) {
  uint8_t code[2] = {};
  if (signal != 5 || copy_program(code, pointer<void>(regs.ip - 2), 2)) return 0;
  if (regs.trapno == 1) return code[1] == 0xf1;
  return regs.trapno != 3 ? 0 : code[1] == 0xcc ? 1 : code[0] == 0xcd && code[1] == 3 ? 2 : 0;
}

// Faults are the program's own unless they happen where the stub touches the program's memory, or where a page is still at home.
extern "C" void guest_fault(int signal, uint8_t *info, Context *context) {
  Slot *slot = this_slot();
  u64 &ip = context->regs.ip;
  u64 at;
  copy(&at, info + 16, 8);
  constexpr int no_page = 2;                                                    // BUS_ADRERR; others are of how it is accessed
  int cause;
  copy(&cause, info + 8, 4);
  if (signal == 7 && cause == no_page && !slot->serving) {
    CallTime time(slot, kPageFetched);
    age_look();
    if (fetch_page(slot, at)) return;
  }
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
  bool in_clock = in_clocks(ip);                                                // given a bad pointer
  if (in_blob(ip) && !in_clock) guest_dies(Ending(int(Ending::failed) + signal));
  SigAction action = slot->process->actions[signal - 1];
  Trap trap{slot, context, false};
  // Below a mapping that grows downwards there is no fault.
  if (action.handler <= 1 || slot->mask & bit(signal) || (signal == 11 && !sure_of_advice(trap))) {   // fatal: the real signal, core and message are those of home
    ip = in_clock ? kBadPointer : ip - trap_length(signal, context->regs);
    go_home(trap, -2);
    return;
  }
  u64 old = slot->mask, mask = old | action.mask | (action.flags & 0x40000000 ? 0 : bit(signal));
  mask &= ~(bit(9) | bit(19));
  if (mask != old && ask(trap, Op::set_mask, 0, mask)) {                        // another is to be handled first: the fault comes again
    ip -= trap_length(signal, context->regs);
    deliver_waiting(slot, context);
    return;
  }
  slot->mask = mask;
  if (!deliver(slot, context, action, info, old)) {
    slot->mask = old;
    if (mask != old) ask(trap, Op::set_mask, 0, old);
    ip = in_clock ? kBadPointer : ip - trap_length(signal, context->regs);
    go_home(trap, -2);
    return;
  }
  if (action.flags & 0x80000000) {                                              // SA_RESETHAND
    action.handler = 0;
    tell_action(trap, u64(signal), action);
  }
  if (trap.signal_waits || slot->signal_waits) deliver_waiting(slot, context);
}

}  // namespace

bool have_own_files() {
  Control &c = control();
  if (c.maps < 0) c.maps = int(sys(257, kOwnFile, kOwnMaps, 0x80000));           // openat, O_CLOEXEC
  if (c.pagemap < 0) c.pagemap = int(sys(257, kOwnFile, kOwnPagemap, 0x80000));
  if (c.long_maps < 0) c.long_maps = int(sys(257, kOwnFile, kOwnLongMaps, 0x80000));
  if (c.status < 0) c.status = int(sys(257, kOwnFile, kOwnStatus, 0x80000));
  return c.maps >= 0 && c.pagemap >= 0 && c.long_maps >= 0 && c.status >= 0;
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
