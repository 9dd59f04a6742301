#include "times.h"

namespace mosrun {

namespace {

constexpr int kPrGetTsc = 25;                                           // prctl(2)
constexpr u64 kShift = 20, kLooksEnd = 1ull << 40;                      // ticks: some minutes, exact to a millionth

void add_to(u64 &counter, u64 n) { __atomic_add_fetch(&counter, n, __ATOMIC_RELAXED); }

void look(TickRate &rate, u64 at) {
  const u64 ns = u64(now()), passed = at - rate.ticks;
  const bool begins = !rate.ns || at <= rate.ticks || ns <= rate.ns || (passed > kLooksEnd && !rate.scale);
  if (begins) {
    rate.ticks = at;
    rate.ns = ns;
    return;
  }
  if (passed <= kLooksEnd) rate.scale = ((ns - rate.ns) << kShift) / passed;
  rate.next = 2 * passed <= kLooksEnd ? at + passed : ~0ull;
}

}  // namespace

// Each time from one look to the next is twice as long as the last, so there are few.
void keep_rate() {
  TickRate &rate = control().ticks;
  if (const u64 at = tick(); at >= rate.next) look(rate, at);
}

u64 in_ns(u64 ticks) {
  const u64 scale = control().ticks.scale;
  return (ticks >> kShift) * scale + ((ticks & ((1ull << kShift) - 1)) * scale >> kShift);
}

void tell_times(Slot *slot, Request &r) {
  ++slot->asked;
  keep_rate();
  if (slot->spent_for) r.spent = in_ns(slot->spent), r.spent_for = slot->spent_for;
  if (slot->answered) r.answered = slot->answered, r.answered_ns = in_ns(slot->answered_ticks);
  forget_times(slot);
}

void forget_times(Slot *slot) {
  slot->spent_for = 0;
  slot->answered = slot->answered_ticks = 0;
}

void begin_times_of_child(Slot *slot) {
  forget_times(slot);
  slot->asked = 0;
}

void begin_times(Slot *slot) {
  u32 mode = 0;
  slot->no_ticks = !sys(nr_prctl, kPrGetTsc, address(&mode)) && mode == 2;   // PR_TSC_SIGSEGV: it would end the program
  slot->home_ticks = slot->home_bytes = 0;
  if (!slot->no_ticks) keep_rate();
}

RequestTime::RequestTime(Slot *slot, const Request &r) : slot_(slot), ahead_(r.op == Op::read || r.op == Op::statuses || ((r.op == Op::fetch || r.op == Op::call) && r.flags & kNotWaitedFor)), begun_(0) {
  Statistics &s = control().statistics;
  if (r.answered) add_to(s.answered.calls, r.answered), add_to(s.answered.taken, r.answered_ns);
  if (r.spent_for && r.spent_for <= kCallKinds) {
    CallTimes &one = s.by_call[r.spent_for - 1];
    add_to(one.calls, 1);
    add_to(one.taken, r.spent);
    add_to(one.bytes, slot->home_bytes);
    add_to(one.at_home, in_ns(slot->home_ticks));
    slot->home_bytes = slot->home_ticks = 0;
  }
  if (!ahead_ || r.op == Op::call) slot->home_bytes += sizeof r + r.in_size;
  slot->sending = 0;
}

void RequestTime::begin() {
  if (slot_->no_ticks) return;
  keep_rate();
  begun_ = tick();
}

RequestTime::~RequestTime() {
  const u64 whole = begun_ ? ticks_since(begun_) : 0, passed = whole - minimum(whole, slot_->sending);
  if (!ahead_) {
    slot_->home_ticks += passed;
    return;
  }
  CallTimes &ahead = control().statistics.ahead;
  add_to(ahead.calls, 1);
  add_to(ahead.at_home, in_ns(passed));
}

}  // namespace mosrun
