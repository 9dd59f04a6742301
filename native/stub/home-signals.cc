// Home, while away: the process's signals. The kernel decides, as ever, which thread gets what and when, because every deputy thread carries its
// guest thread's mask. A signal the program handles is caught here, kept, and handed to the guest's thread; all others keep their effect.
//
// A thread keeps one signal at a time: from the catch until the guest has fetched it the thread blocks all handled signals, so that whatever
// comes meanwhile waits in the kernel's own queue, where sigpending(2) and the other threads find it.
#include "stub.h"

namespace mosrun {

void let_go_of_own_call();

namespace {

constexpr int kContinue = 18, kLeaseLost = 29;

bool is_stop(int s) { return s == 20 || s == 21 || s == 22; }   // TSTP, TTIN, TTOU
bool writes_core(int s) { return s < 32 && (0x830009f8u >> s & 1); }   // QUIT ILL TRAP ABRT BUS FPE, SEGV, XCPU XFSZ, SYS (signal(7))

void send_event(EventType type, uint16_t slot, u32 argument) {
  Control &c = control();
  Event event{type, 0, slot, argument};
  sys(nr_sendto, u64(c.event), address(&event), sizeof event, msg_nosignal, 0, 0);
}

// Puts a thread out of a call that it has not entered yet, or that the kernel would restart: true.
bool let_go(Context *context) {
  u64 &ip = context->regs.ip;
  bool entered = ip == address(interruptible_call) && context->regs.cx == address(interruptible_done);
  if (ip >= address(interruptible_test) && ip <= address(interruptible_call)) ip = address(interruptible_let_go);
  return entered;
}

// A fault reported in the stub. The first at a place can be the program's: pending when its thread was stopped to leave, and the guest, which begins
// with the same instruction, finds it anew. The deputy's own comes again at once: let it show.
bool fault_here(int signal, const uint8_t *info, const Context *context) {
  Slot *slot = this_slot();
  int code;
  copy(&code, info + 8, 4);
  if (code <= 0 || !in_blob(context->regs.ip) || (signal != 11 && signal != 7 && signal != 8 && signal != 4)) return false;
  SigAction plain{};
  if (slot->fault_ip == context->regs.ip) sys(nr_rt_sigaction, u64(signal), address(&plain), 0, 8);
  slot->fault_ip = context->regs.ip;
  return true;
}

bool core_wanted() {
  RLimit limit{};
  sys(nr_prlimit64, 0, 4, 0, address(&limit));               // RLIMIT_CORE
  return (limit.soft || control().core_pipe) && sys(nr_prctl, 3) == 1;   // PR_GET_DUMPABLE
}

// To the thread again, now with its default action.
void send_plain(Slot *slot, u32 signal, const uint8_t *info) {
  SigAction plain{};
  sys(nr_rt_sigaction, signal, address(&plain), 0, 8);
  sys(nr_rt_tgsigqueueinfo, u64(control().pid), u64(slot->tid), signal, address(info));
}

// The default of these is a core of the memory, which is elsewhere: the process comes home and dies there, by the same signal.
void fatal(int signal, uint8_t *info, Context *context) {
  Slot *slot = this_slot();
  Control &c = control();
  if (fault_here(signal, info, context)) return;
  if (load(&c.phase) == u32(Phase::away) && !core_wanted()) {
    send_plain(slot, u32(signal), info);                     // and dies when this returns
    return;
  }
  copy(slot->fatal_info, info, sizeof slot->fatal_info);
  slot->fatal = u32(signal);
  for (int s = 1; s < 32; ++s)
    if (writes_core(s)) context->mask |= bit(s);
  __atomic_or_fetch(&slot->interrupt, 2u, __ATOMIC_ACQ_REL);
  let_go(context);
  if (load(&c.phase) != u32(Phase::away)) return;
  come_home_to_die();
}

// A file that it maps may have been written to meanwhile: it is told so first.
void resume() {
  if (come_home_for_mapping()) let_go_of_own_call();
  send_event(EventType::resume, 0, 0);
}

void caught(int signal, uint8_t *info, Context *context) {
  Slot *slot = this_slot();
  if (fault_here(signal, info, context)) return;
  const SigAction action = control().process.actions[signal - 1];
  if (action.handler == 1) return;
  if (!action.handler) {                                     // another thread takes the handler away this moment
    sys(nr_rt_tgsigqueueinfo, u64(control().pid), u64(slot->tid), u64(signal), address(info));
    return;
  }
  copy(slot->info, info, sizeof slot->info);
  slot->caught_for = action;
  slot->in_hand = u32(signal);
  if (slot->wait_masked && context->regs.ip == address(interruptible_done) && context->regs.ax == u64(-EINTR_)) slot->wait_masked = 2;
  if (signal == kContinue) resume();
  __atomic_or_fetch(&slot->interrupt, 1u, __ATOMIC_ACQ_REL);
  context->mask |= handled_signals();
  let_go(context);
  slot->told = !slot->busy;
  if (!slot->busy) tell_signal(slot);
}

// ^Z and its like: the guest is told to stand still, then the process stops by the same default action, for its parent to see.
void stopped(int signal, uint8_t *, Context *context) {
  Control &c = control();
  u64 only = bit(signal);
  SigAction act{}, mine{};
  send_event(EventType::stop, 0, 0);
  sys(nr_rt_sigaction, u64(signal), address(&act), address(&mine), 8);
  sys(nr_tgkill, u64(c.pid), u64(sys(nr_gettid)), u64(signal));
  sys(nr_rt_sigprocmask, 1, address(&only), 0, 8);           // SIG_UNBLOCK: stops here until SIGCONT
  sys(nr_rt_sigprocmask, 0, address(&only), 0, 8);
  if (c.process.actions[signal - 1].handler == 0) sys(nr_rt_sigaction, u64(signal), address(&mine), 0, 8);
  resume();
  (void)context;
}

// SIGSTOP cannot be caught, so mosd tells the guest of it; the end of any stop can. Without a handler of the program's a call goes on after it.
void continued(int, uint8_t *, Context *context) {
  Slot *slot = this_slot();
  if (context->regs.ip == address(interruptible_done) && context->regs.ax == u64(-EINTR_) && !slot->in_hand) slot->continued = 1;
  resume();
}

// True: the call had begun to wait. One that any interruption ends with EINTR (epoll_wait, semop, sigtimedwait, sleeps) has had no effect: it is issued again.
bool put_out_of_call(Slot *slot, Context *context) {
  __atomic_or_fetch(&slot->interrupt, 2u, __ATOMIC_ACQ_REL);
  bool begun = let_go(context), ended = context->regs.ip == address(interruptible_done) && context->regs.ax == u64(-EINTR_) && !slot->in_hand;
  if (ended) context->regs.ax = u64(kRestart);
  if (begun || ended) __atomic_or_fetch(&slot->interrupt, kBegun, __ATOMIC_ACQ_REL);
  return ended;
}

// SI_QUEUE and SI_TIMER with our value are ours, and what the kernel sends; SI_TKILL and all others are not. One of kill(2) is ours where one was sent
// a moment ago because there was no room in the queue: what such a signal was sent with is lost.
bool is_foreign(const uint8_t *info) {
  constexpr u64 moment = 5'000'000'000;
  int code;
  u64 value;
  copy(&code, info + 8, 4);
  copy(&value, info + 24, 8);
  return code < 0 ? value != kOurs && value != kRetries : code == 0 && u64(now()) - __atomic_load_n(&control().killed_at, __ATOMIC_SEQ_CST) > moment;
}

// Sent to the program, by whomever. Where it would end it, it does; a handler gets it like any other signal. What is blocked, or comes while another
// is in hand, cannot be left to the kernel's queue, whose 64 are ours: the process comes home for it.
void foreign(int signal, uint8_t *info, Context *context) {
  Slot *slot = this_slot();
  Control &c = control();
  u64 handler = c.process.actions[signal - 1].handler;
  if (handler == 1) return;
  bool away = load(&c.phase) == u32(Phase::away);
  if (away && !(slot->mask & bit(signal)) && !slot->in_hand) {
    if (!handler) return send_plain(slot, u32(signal), info);
    if (let_go(context)) __atomic_or_fetch(&slot->interrupt, kBegun, __ATOMIC_ACQ_REL);   // the kernel would restart it for us
    return caught(signal, info, context);
  }
  for (Held &held : c.held) {
    u32 free = 0;
    if (!__atomic_compare_exchange_n(&held.taken, &free, 1u, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
    copy(held.info, info, sizeof held.info);
    break;
  }
  put_out_of_call(slot, context);
  if (away) come_home_to_die();
}

void tell_break() {
  if (come_home_for_mapping() || !holds_leases()) return;
  store(&control().breaking, 1);
  send_event(EventType::drop, 0, 0);
}

// The kernel had no room to queue a signal of our number for a lease that is about to be broken (fcntl(2), F_SETSIG). Another is the program's.
void broken(int signal, uint8_t *info, Context *) {
  int code;
  copy(&code, info + 8, 4);
  constexpr int by_kernel = 0x80;                            // SI_KERNEL
  if (code == by_kernel && lease_breaks()) return tell_break();
  if (code == by_kernel && come_home_for_mapping()) return let_go_of_own_call();
  send_plain(this_slot(), u32(signal), info);
}

void controlled(int signal, uint8_t *info, Context *context) {
  Slot *slot = this_slot();
  Control &c = control();
  int code;
  copy(&code, info + 8, 4);
  if (is_foreign(info)) return foreign(signal, info, context);
  u64 value;
  copy(&value, info + 24, 8);
  const bool timer = code == -2, retries = timer && value == kRetries, waits = slot->socket_wait == u32(SocketWait::timed);   // SI_TIMER
  if (retries) come_home_for_mapping();
  constexpr int by_lease = 3;                                // POLL_MSG (lease_break_callback in fs/locks.c)
  if (code == by_lease) tell_break();
  if (timer && !retries && !waits) return;
  if (put_out_of_call(slot, context) && waits) slot->socket_wait = u32(timer && !retries ? SocketWait::over : SocketWait::let_go);
  if (!load(&c.order) || load(&c.phase) != u32(Phase::away)) return;
  u32 order = __atomic_exchange_n(&c.order, 0u, __ATOMIC_ACQ_REL);
  if (order == kHome) {
    const bool mine = start_return(kByOrder);                // or it comes home already, for a call, and without what has come ahead
    send_event(EventType::home, 0, mine ? use_stage() : 0);
  } else if (order == kAheadHome) {
    open_stage();
  } else if (order == kAheadOn) {
    send_event(EventType::ahead, 0, c.next.memory);
  } else if (order == kOn) {
    start_move();
    send_event(EventType::on, 0, c.next.memory);
  }
}

}  // namespace

void come_home_to_die() {
  start_return(kByFault);
  send_event(EventType::home, 0, 0);
}

void come_home_unasked(int reason) {
  if (start_return(reason, true)) send_event(EventType::home, 0, 0);
}

// As flush_signal_handlers (kernel/signal.c): what is ignored stays so.
void clear_handlers(Process &process) {
  for (SigAction &action : process.actions) action = {action.handler == 1 ? 1ull : 0, 0, 0, 0};
}

// A process that home has no memory for stays away, and its call is asked for again by and by: until there is some, or mosd has it frozen, or says no more.
bool waits_for_room(u32 nr) {
  Control &c = control();
  if (u64(now()) >= c.no_room_until) return false;
  const TimeSpec pause{0, 200'000'000};
  c.waits_for = nr;
  c.waits_at = u64(now());
  sys(nr_nanosleep, address(&pause), 0);
  return true;
}

i64 come_home_for(u32 nr) { return refuses_call(nr) ? -ENOSYS_ : come_home_to_make(nr); }

i64 come_home_to_make(u32 nr) {
  if (waits_for_room(nr)) return kRestart;
  start_return(int(nr), true);
  send_event(EventType::home, 0, 0);
  return kRestart;
}

void die_of(Slot *slot) {
  send_plain(slot, slot->fatal, slot->fatal_info);
  set_real_mask(~bit(int(slot->fatal)));
  for (;;) sys(nr_exit_group, 128 + slot->fatal);
}

// The masks while the handler of the signal in hand runs, and after it. A call that waits under a mask of its own leaves that one to the handler, and
// the one from before the call to what comes after it (sigmask_to_save, signal_setup_done in kernel/signal.c).
u64 enter_handler(Slot *slot, const SigAction &action) {
  u64 before = slot->mask, under = slot->wait_masked == 2 ? slot->wait_mask : before;
  slot->mask = (under | action.mask | (action.flags & 0x40000000 ? 0 : bit(int(slot->in_hand)))) & ~(bit(9) | bit(19));   // SA_NODEFER
  slot->in_hand = 0;
  slot->wait_masked = 0;
  return before;
}

void tell_signal(Slot *slot) { send_event(EventType::signal, uint16_t(slot->index), 0); }

u64 handled_signals() {
  u64 set = 0;
  for (int s = 1; s < kSignals; ++s)
    if (control().process.actions[s - 1].handler > 1) set |= bit(s);
  return set;
}

void set_home_action(int signal) {
  if (signal == 9 || signal == 19) return;
  Control &c = control();
  SigAction &program = c.process.actions[signal - 1];
  SigAction act = program;
  act.restorer = address(restorer);
  act.flags = 0x04000004 | (program.flags & (0x10000000 | 1 | 2));   // RESTORER | SIGINFO, and RESTART, NOCLDSTOP, NOCLDWAIT of the program
  act.mask = ~0ull;
  if (signal == kControlSignal) act.handler = address(controlled), act.flags = 0x14000004;
  else if (program.handler > 1) act.handler = address(caught);
  else if (signal == kLeaseLost && !program.handler) act.handler = address(broken), act.flags |= 0x10000000;
  else if (signal == kContinue) act.handler = address(continued), act.flags |= 0x10000000;
  else if (!program.handler && is_stop(signal)) act.handler = address(stopped), act.flags |= 0x10000000;
  else if (!program.handler && writes_core(signal)) act.handler = address(fatal), act.flags |= 0x10000000;
  else act.mask = 0, act.flags = program.flags | 0x04000000;
  sys(nr_rt_sigaction, u64(signal), address(&act), 0, 8);
}

// Has it here the program's own action? Then it is left alone: to be set to its default again would take a pending SIGCHLD, SIGURG or SIGWINCH away,
// also a blocked one that the program waits for (sigaction(2)).
static bool has_own_action(int s) {
  u64 handler = control().process.actions[s - 1].handler;
  bool watched = s == kContinue || is_stop(s) || writes_core(s) || s == kLeaseLost;
  return s == 9 || s == 19 || (s != kControlSignal && handler <= 1 && (handler || !watched));
}

void install_home_handlers() {
  for (int s = 1; s <= kSignals; ++s)
    if (!has_own_action(s)) set_home_action(s);
}

void restore_program_handlers() {
  Control &c = control();
  refuse_nudges(nullptr);
  u64 waiting = 0;
  sys(127, address(&waiting), 8);                            // rt_sigpending
  for (int s = 1; s <= kSignals; ++s)
    if (!has_own_action(s)) sys(nr_rt_sigaction, u64(s), address(&c.process.actions[s - 1]), 0, 8);
  if ((waiting & bit(kContinue)) && !c.process.actions[kContinue - 1].handler) sys(nr_kill, u64(c.pid), kContinue);
}

static bool change_phase(Phase from, Phase to) {
  u32 seen = u32(from);
  return __atomic_compare_exchange_n(&control().phase, &seen, u32(to), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void put_out(Slot *slot) {
  struct { i32 signal, error, code, pad, pid, uid; u64 value; uint8_t rest[96]; } info{};
  static_assert(sizeof info == 128);
  info.signal = kControlSignal;
  info.code = -1;                                                                // SI_QUEUE
  info.pid = control().pid;
  info.value = kOurs;
  if (sys(nr_rt_tgsigqueueinfo, u64(control().pid), u64(slot->tid), kControlSignal, address(&info)) != -EAGAIN_) return;
  constexpr u64 kLimitPending = 11;                                              // RLIMIT_SIGPENDING: the program has used it up
  RLimit own{};
  if (sys(nr_prlimit64, 0, kLimitPending, 0, address(&own))) return;
  RLimit wide{own.hard, own.hard};
  sys(nr_prlimit64, 0, kLimitPending, address(&wide));
  const bool none = sys(nr_rt_tgsigqueueinfo, u64(control().pid), u64(slot->tid), kControlSignal, address(&info)) == -EAGAIN_;
  sys(nr_prlimit64, 0, kLimitPending, address(&own));
  if (!none || slot->tid != control().pid) return;
  // One of kill(2) comes all the same, to the first thread where that does not block it, and does not say who sent it (kernel/signal.c).
  __atomic_store_n(&control().killed_at, u64(now()), __ATOMIC_SEQ_CST);
  sys(nr_kill, u64(control().pid), kControlSignal);
}

// Not a thread whose program is about to be another's.
static void let_go_of(u32 from, u32 to, int but) {
  Control &c = control();
  __atomic_add_fetch(&c.nudging, 1u, __ATOMIC_SEQ_CST);
  for (u32 i = from; i < to; ++i) {
    Slot *slot = slot_at(i);
    if (slot->state == u32(SlotState::used) && slot->tid != but && !__atomic_load_n(&slot->starting, __ATOMIC_SEQ_CST)) put_out(slot);
  }
  __atomic_add_fetch(&c.nudging, -1u, __ATOMIC_SEQ_CST);
}

// Every thread but this one.
void let_go_of_calls() { let_go_of(0, control().slots, int(sys(nr_gettid))); }

// This one, once the handler that calls this is over.
void let_go_of_own_call() {
  const u32 own = this_slot()->index;
  let_go_of(own, own + 1, 0);
}

bool any_held() {
  for (const Held &held : control().held)
    if (held.taken) return true;
  return false;
}

// Only the first thread may say that a signal is another's (rt_sigqueueinfo(2)).
static void queue_again(uint8_t *info) {
  constexpr int queued = -1;                                                     // SI_QUEUE
  if (!sys(nr_rt_sigqueueinfo, u64(control().pid), kControlSignal, address(info))) return;
  copy(info + 8, &queued, sizeof queued);
  sys(nr_rt_sigqueueinfo, u64(control().pid), kControlSignal, address(info));
}

void release_held() {
  for (Held &held : control().held) {
    if (!held.taken) continue;
    held.taken = 0;
    queue_again(held.info);
  }
}

// A mover may have been killed between its word and its signal: then nothing comes any more.
static constexpr i64 kNudgePatience = 1'000'000'000;   // ns

void refuse_nudges(Slot *starting) {
  Control &c = control();
  if (starting) __atomic_store_n(&starting->starting, 1u, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&c.no_nudges, 1u, __ATOMIC_SEQ_CST);
  const i64 until = now() + kNudgePatience;
  TimeSpec pause{0, 50000};
  while (__atomic_load_n(&c.nudging, __ATOMIC_SEQ_CST) || (__atomic_load_n(&c.mover_nudges, __ATOMIC_SEQ_CST) && now() < until)) sys(nr_nanosleep, address(&pause), 0);
  // One that came for the process, and not for a thread, is taken now: the kernel looks when a mask becomes smaller.
  const u64 only = bit(kControlSignal);
  if (!starting) return;
  sys(nr_rt_sigprocmask, 0, address(&only), 0, 8);
  sys(nr_rt_sigprocmask, 1, address(&only), 0, 8);
}

void accept_nudges(Slot *starting) {
  if (starting) store(&starting->starting, 0);
  add(&control().no_nudges, -1u);
}

static constexpr u64 kInfoSize = 128;                  // of a siginfo_t

// Those of the program's own stay: they are put aside in the slot's buffer meanwhile.
void forget_nudges() {
  const u64 only = bit(kControlSignal);
  const TimeSpec none{};
  uint8_t *kept = buffer(this_slot());
  u64 count = 0;
  while (sys(128, address(&only), address(kept + count * kInfoSize), address(&none), 8) == kControlSignal) {   // rt_sigtimedwait
    if (is_foreign(kept + count * kInfoSize) && (count + 2) * kInfoSize < kBufferSize) ++count;
  }
  for (u64 i = 0; i < count; ++i) queue_again(kept + i * kInfoSize);
}

// From now on the answer is only: again. `instead`: also where it was about to move on.
bool start_return(int reason, bool instead) {
  Control &c = control();
  if (!change_phase(Phase::away, Phase::returning) && !(instead && change_phase(Phase::moving, Phase::returning))) return false;
  c.return_reason = reason;
  c.statistics.last_return = reason;
  if (reason >= 0 && reason < 512) c.statistics.returns[reason]++;
  let_go_of_calls();
  return true;
}

void start_move() {
  if (!change_phase(Phase::away, Phase::moving)) return;
  control().frozen_at = u64(now());
  control().return_reason = -1;
  let_go_of_calls();
}

}  // namespace mosrun
