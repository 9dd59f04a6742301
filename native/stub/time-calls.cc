// Guest: clocks and waiting. Both are the guest's own: sleeps and futexes cost home nothing. A wait is held by its absolute end, so that neither a
// control signal nor a move changes when it is over.
#include "stub.h"

namespace mosrun {

namespace {

constexpr i64 kSecond = 1000000000;
constexpr u64 kTick = 10000;                                            // µs, of times(2): USER_HZ

i64 read_time(u64 from, i64 &ns, i64 unit = 1) {
  TimeSpec t;
  if (copy_program(&t, pointer<void>(from), sizeof t)) return -EFAULT_;
  if (t.seconds < 0 || u64(t.nanoseconds) >= u64(kSecond / unit)) return -EINVAL_;
  ns = t.seconds > 9000000000ll ? 9000000000ll * kSecond : t.seconds * kSecond + t.nanoseconds * unit;
  return 0;
}
i64 write_time(u64 to, i64 ns) {
  TimeSpec t{ns / kSecond, ns % kSecond};
  return copy_program(pointer<void>(to), &t, sizeof t);
}

// Lets the control signal in while `nr` waits. kAgain: the signal came, and what it brought is for the caller to see.
i64 wait_native(Slot *slot, u32 nr, const u64 *args) {
  u64 control_only = bit(kControlSignal), old = 0;
  slot->interrupt = 0;
  sys(nr_rt_sigprocmask, 1, address(&control_only), address(&old), 8);
  i64 result = interruptible(&slot->interrupt, nr, args);
  sys(nr_rt_sigprocmask, 0, address(&control_only), 0, 8);
  return result;
}

// After an interruption. kAgain: the program moves, the wait goes on there; -EINTR: a handler ran; 1: wait on.
i64 after_interruption(Trap &trap, u64 deadline) {
  Slot *slot = trap.slot;
  if (slot->process->want_park) {
    slot->deadline = deadline;
    slot->deadline_ip = trap.context->regs.ip;
    slot->begun_ip = trap.context->regs.ip;
    return kAgain;
  }
  if (!slot->signal_waits) return 1;
  // The handler's frame returns to the call, or behind it if the handler ends it.
  Registers &regs = trap.context->regs;
  u64 sp = regs.sp, ip = regs.ip;
  regs.ip = ip - 2;
  slot->begun_ip = slot->deadline_ip = ip;
  slot->deadline = deadline;
  deliver_waiting(slot, trap.context);
  if (regs.sp != sp || regs.ip != ip - 2) return -EINTR_;
  regs.ip = ip;                                                         // nothing for a handler
  slot->begun_ip = slot->deadline = 0;
  return 1;
}

// The end of a wait of `ns`: as begun before the thread was let go, if this is the same call again.
u64 deadline_of(Trap &trap, i64 ns) {
  Slot *slot = trap.slot;
  if (slot->deadline && slot->deadline_ip == trap.context->regs.ip) {
    u64 at = slot->deadline;
    slot->deadline = 0;
    return at;
  }
  slot->deadline = 0;
  return u64(now() + ns);
}

constexpr i64 kDelivered = -600;   // a handler's frame is in place: registers are not to be touched

// Waits until it is over, the program moves, or a handler has run; how it ends otherwise is the kernel's affair.
i64 wait_out(Trap &trap, u32 nr, const u64 *args, u64 deadline) {
  for (;;) {
    i64 result = wait_native(trap.slot, nr, args);
    if (result != kAgain && result != -EINTR_) return result;
    i64 then = after_interruption(trap, deadline);
    if (then == kAgain) return kAgain;
    if (then == -EINTR_) return kDelivered;
  }
}

i64 sleep_until(Trap &trap, u64 deadline) {
  TimeSpec t{i64(deadline) / kSecond, i64(deadline) % kSecond};
  const u64 args[6] = {clock_monotonic, 1, address(&t), 0, 0, 0};       // TIMER_ABSTIME
  return wait_out(trap, nr_clock_nanosleep, args, deadline);
}

i64 nanosleep_call(Trap &trap, u64 *a) {
  i64 ns;
  if (i64 error = read_time(a[0], ns)) return error;
  return sleep_until(trap, deadline_of(trap, ns));
}

i64 clock_nanosleep_call(Trap &trap, u64 *a) {
  Control &c = control();
  int clock = int(a[0]);
  if (clock >= 3 && clock <= 6) return -EOPNOTSUPP_;                    // of a thread, raw, coarse: nobody sleeps by them
  if (clock != 0 && clock != 1 && clock != 7 && clock != 11) return clock == 2 || clock < 0 || clock == 8 || clock == 9 ? go_home(trap, nr_clock_nanosleep) : -EINVAL_;
  i64 ns;
  if (i64 error = read_time(a[2], ns)) return error;
  if (!(a[1] & 1)) return sleep_until(trap, deadline_of(trap, ns));
  i64 clock_now = now(clock) + (clock == 0 || clock == 11 ? c.realtime_offset : 0);
  return sleep_until(trap, u64(maximum<i64>(0, now() + (ns - clock_now))));
}

// futex(2), but for wake-ups that look at no memory.
i64 futex_call(Trap &trap, u64 *a) {
  constexpr int wait = 0, requeue = 3, cmp_requeue = 4, wake_op = 5, lock_pi = 6, wait_bitset = 9, wake_bitset = 10, wait_requeue_pi = 11, cmp_requeue_pi = 12, lock_pi2 = 13;
  Control &c = control();
  const int op = int(a[1] & 0x7f);
  const bool reads = op <= cmp_requeue || op == wait_bitset || op == wake_bitset;
  const bool other = op == requeue || op == cmp_requeue || op == wake_op || op == wait_requeue_pi || op == cmp_requeue_pi;
  if (!bring_range(a[0], sizeof(u32), !reads) || (other && !bring_range(a[4], sizeof(u32), !reads))) return -EFAULT_;
  if (op != wait && op != lock_pi && op != wait_bitset && op != wait_requeue_pi && op != lock_pi2) return sys(nr_futex, a[0], a[1], a[2], a[3], a[4], a[5]);
  u64 args[6] = {a[0], a[1], a[2], a[3], a[4], a[5]};
  if (!a[3]) return wait_out(trap, nr_futex, args, 0);
  i64 ns = 0;
  if (i64 error = read_time(a[3], ns)) return error;
  TimeSpec t;
  args[3] = address(&t);
  const bool realtime = a[1] & 256 || op == lock_pi;                     // FUTEX_CLOCK_REALTIME; FUTEX_LOCK_PI always
  u64 deadline = 0;
  if (op == wait) {                                                     // relative: as WAIT_BITSET it is absolute
    deadline = deadline_of(trap, ns);
    ns = i64(deadline);
    args[1] = (a[1] & 128) | wait_bitset;
    args[5] = 0xffffffff;
  } else if (realtime) {
    ns = maximum<i64>(0, ns - c.realtime_offset);
  }
  t = {ns / kSecond, ns % kSecond};
  return wait_out(trap, nr_futex, args, deadline);
}

struct Waiter { u64 value, word; u32 flags, reserved; };                 // futex_waitv

// Those that a call names in memory; more than it takes is an error that it finds itself.
bool have_waiters(u64 at, u64 count) {
  constexpr u64 most = 128;                                              // FUTEX_WAITV_MAX
  for (u64 i = 0; i < minimum(count, most); ++i) {
    Waiter waiter;
    if (copy_program(&waiter, pointer<void>(at + i * sizeof waiter), sizeof waiter)) return true;
    if (!bring_range(waiter.word, sizeof(u32), false)) return false;
  }
  return true;
}

// futex_waitv(2), futex_wake(2), futex_wait(2), futex_requeue(2): a time-out is absolute, and its clock is in the last argument.
i64 futex2_call(Trap &trap, u32 nr, u64 *a) {
  if (!(nr == nr_futex_waitv ? have_waiters(a[0], u32(a[1])) : nr == nr_futex_requeue ? have_waiters(a[0], 2) : bring_range(a[0], sizeof(u32), false))) return -EFAULT_;
  if (nr == nr_futex_wake || nr == nr_futex_requeue) return sys(nr, a[0], a[1], a[2], a[3]);
  const u64 time = nr == nr_futex_waitv ? 3 : 4, clock = time + 1;
  u64 args[6] = {a[0], a[1], a[2], a[3], a[4], a[5]};
  TimeSpec t;
  if (a[time]) {
    i64 ns;
    if (i64 error = read_time(a[time], ns)) return error;
    if (a[clock] == 0) ns = maximum<i64>(0, ns - control().realtime_offset);
    t = {ns / kSecond, ns % kSecond};
    args[time] = address(&t);
  }
  return wait_out(trap, nr, args, 0);
}

// Clocks of processes and threads have numbers made of theirs, or of 0 for one's own (MAKE_PROCESS_CPUCLOCK, linux/posix-timers_types.h). Those that
// are of this process, as its own; of a thread it is told whose.
int own_clock(const Slot *slot, int clock, const Slot *&of) {
  constexpr int as_program = 1, descriptor = 3, per_thread = 4;
  if (clock >= 0 || (clock & 3) == as_program || (clock & 3) == descriptor) return clock;
  const int number = ~(clock >> 3);
  if (!(clock & per_thread)) return !number || number == slot->process->pid || number == slot->tid ? clock_process_cpu : clock;
  if (!number || number == slot->tid) return clock_thread_cpu;
  for (u64 i = 0; i < control().slots; ++i) {
    const Slot *s = slot_at(i);
    if (s->state == u32(SlotState::used) && s->tid == number && s->process == slot->process) return of = s, clock_thread_cpu;
  }
  return clock;
}

i64 gettime(Trap &trap, u64 *a) {
  Control &c = control();
  u64 ip = trap.context->regs.ip;
  bool by_vdso = ip - (base() + kVdsoOffset) < kVdsoSize;               // clock_clock_gettime corrects it
  const Slot *of = trap.slot;
  int clock = own_clock(trap.slot, int(a[0]), of);
  if (clock < 0) return forward_call(trap, nr_clock_gettime, a);        // another process's or a device's clock: home's
  TimeSpec t{};
  // Another thread's by its number, which this node knows it by as well.
  i64 result = sys(nr_clock_gettime, of == trap.slot ? u64(clock) : a[0], address(&t));
  if (result) return result;
  i64 ns = t.seconds * kSecond + t.nanoseconds;
  if (!by_vdso && (clock == 0 || clock == 5 || clock == 11)) ns += c.realtime_offset;
  if (clock == clock_process_cpu) ns += i64(c.process_cpu_base);
  if (clock == clock_thread_cpu) ns += i64(of->cpu_base);
  return write_time(a[1], ns);
}

i64 gettimeofday_call(Trap &trap, u64 *a) {
  (void)trap;
  i64 ns = now(clock_realtime) + control().realtime_offset;
  TimeSpec t{ns / kSecond, ns % kSecond / 1000};
  if (a[0] && copy_program(pointer<void>(a[0]), &t, sizeof t)) return -EFAULT_;
  if (a[1]) {
    u64 zone = 0;
    if (copy_program(pointer<void>(a[1]), &zone, 8)) return -EFAULT_;
  }
  return 0;
}

i64 time_of_day(u64 *a) {
  i64 s = (now(clock_realtime) + control().realtime_offset) / kSecond;
  return a[0] && copy_program(pointer<void>(a[0]), &s, 8) ? -EFAULT_ : s;
}

// What home knows of the process's time is the deputy's; the guest's own is added.
struct Usage { i64 user_s, user_us, system_s, system_us; };

// A vfork child has its own time, and has not been elsewhere.
const u64 *earlier_of(const Slot *slot) { return slot->process == &control().process ? control().earlier : slot->earlier; }

i64 add_own(const Slot *slot, u64 to, int who) {
  u64 rusage[18] = {};
  Usage own{}, sum{};
  sys(nr_getrusage, u64(who), address(rusage));
  copy(&own, rusage, sizeof own);
  if (copy_program(&sum, pointer<void>(to), sizeof sum)) return -EFAULT_;
  auto join = [](i64 &s, i64 &us, i64 more_s, i64 more_us) {
    us += more_us;
    s += more_s + us / 1000000;
    us %= 1000000;
  };
  const u64 *earlier = who ? slot->earlier : earlier_of(slot);
  join(sum.user_s, sum.user_us, own.user_s, own.user_us + i64(earlier[0]));
  join(sum.system_s, sum.system_us, own.system_s, own.system_us + i64(earlier[1]));
  if (copy_program(pointer<void>(to), &sum, sizeof sum)) return -EFAULT_;
  // What its stay here has come to: of the present one alone.
  constexpr unsigned maxrss = 4, counts[] = {8, 9, 16, 17};             // ru_minflt, ru_majflt, ru_nvcsw, ru_nivcsw
  u64 home[18];
  if (copy_program(home, pointer<void>(to), sizeof home)) return -EFAULT_;
  home[maxrss] = maximum(home[maxrss], rusage[maxrss]);
  for (unsigned each : counts) home[each] += rusage[each];
  return copy_program(pointer<void>(to), home, sizeof home);
}

// Home has done nothing for this process since it was last asked for anything: what it says is the same.
i64 usage_at_home(Trap &trap, u64 *a) {
  Control &c = control();
  Slot *slot = trap.slot;
  const bool alone = c.process.threads == 1 && slot->process == &c.process;
  if (alone && c.usage_by == slot->index && c.usage_asked == slot->asked && c.usage_asked && c.usage_of == int(a[0])) {
    if (touch_range(a[1], sizeof c.usage, true) != i64(sizeof c.usage) || a[1] >> 47) return -EFAULT_;
    return copy_program(pointer<void>(a[1]), c.usage, sizeof c.usage) ? -EFAULT_ : 0;
  }
  const i64 result = forward_call(trap, nr_getrusage, a);
  c.usage_asked = 0;
  if (alone && !result && !copy_program(c.usage, pointer<void>(a[1]), sizeof c.usage)) c.usage_asked = slot->asked, c.usage_by = slot->index, c.usage_of = int(a[0]);
  return result;
}

i64 usage(Trap &trap, u64 *a) {
  i64 result = usage_at_home(trap, a);
  int who = int(a[0]);
  return result || (who != 0 && who != 1) ? result : add_own(trap.slot, a[1], who);   // RUSAGE_SELF, RUSAGE_THREAD
}

i64 times_call(Trap &trap, u64 *a) {
  i64 result = forward_call(trap, nr_times, a);
  if (failed(result) || !a[0]) return result;
  i64 own[4] = {}, sum[2] = {};
  sys(nr_times, address(own));
  if (copy_program(sum, pointer<void>(a[0]), sizeof sum)) return -EFAULT_;
  for (int i = 0; i < 2; ++i) sum[i] += own[i] + i64(earlier_of(trap.slot)[i] / kTick);
  return copy_program(pointer<void>(a[0]), sum, sizeof sum) ? -EFAULT_ : result;
}

i64 run(Trap &trap, u32 nr, u64 *a) {
  switch (nr) {
    case nr_clock_gettime: return gettime(trap, a);
    case 96: return gettimeofday_call(trap, a);
    case 201: return time_of_day(a);
    case nr_nanosleep: return nanosleep_call(trap, a);
    case nr_clock_nanosleep: return clock_nanosleep_call(trap, a);
    case nr_futex: return futex_call(trap, a);
    case nr_futex_waitv: case nr_futex_wake: case nr_futex_wait: case nr_futex_requeue: return futex2_call(trap, nr, a);
    case nr_getrusage: return usage(trap, a);
    case nr_times: return times_call(trap, a);
    default: return -ENOSYS_;
  }
}

}  // namespace

i64 time_call(Trap &trap, u32 nr, u64 *args) {
  i64 result = run(trap, nr, args);
  if (result != kAgain) trap.slot->begun_ip = 0;
  // What a control signal was for is done where the program's context is known: it comes again now that the wait is over.
  if (trap.slot->recall) {
    trap.slot->recall = 0;
    sys(nr_tgkill, u64(trap.slot->process->pid), u64(trap.slot->tid), kControlSignal);
  }
  if (result != kDelivered) return result;
  // The frame already leads to the handler, with the call's EINTR saved in it: it must stay as it is.
  return i64(trap.context->regs.ax);
}

}  // namespace mosrun
