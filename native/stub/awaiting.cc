// Guest: a reply that comes at once is waited for awake. To wake a sleeper takes longer than many a reply does, most of all on a virtual machine, whose idle
// processor is the host's. But who is awake takes a processor: so only a process of one thread does it, whose last replies were quick, for a moment, and
// ever more seldom where it was for nothing, as on one processor with the deputy, or where others want this one.
#include "times.h"

namespace mosrun {

namespace {

constexpr u64 kQuick = 150'000, kAwake = 60'000, kAway = 25'000;        // ns
constexpr u32 kEnough = 8, kSeldom = 6;                                 // quick replies before the first time; doublings of that
constexpr u32 kReliable = 24, kSlow = 32;                               // successes for it to be halved again; what a reply that is not quick counts

// So many ticks are in ns at the rate known so far; 0: none is.
u64 in_ticks(u64 ns) {
  const u64 scale = control().ticks.scale;
  return scale ? (ns << 20) / scale : 0;
}

void note_success(Slot *slot) {
  if (++slot->in_time < kReliable) return;
  slot->in_time = 0;
  slot->in_vain -= slot->in_vain > 0;
}

}  // namespace

i64 await_reply(Slot *slot, Reply &reply) {
  const u64 begun = tick(), quick = in_ticks(kQuick), awake = in_ticks(kAwake), away = in_ticks(kAway);
  const bool tries = awake && control().awake && slot->quick >= kEnough << slot->in_vain && control().process.threads == 1 && slot->process == &control().process;
  u64 got = 0, at = begun;
  bool kept = tries;                                                    // the processor: this thread has not been put aside
  while (kept && !got && at - begun < awake) {
    const i64 n = sys(nr_recvfrom, u64(slot->channel), address(&reply), sizeof reply, msg_dontwait, 0, 0);
    if (n <= 0 && n != -EAGAIN_) return n ? n : -EPIPE_;
    got = n > 0 ? u64(n) : 0;
    const u64 last = at;
    at = tick();
    kept = at - last < away;
  }
  if (tries && got) note_success(slot);
  else if (tries) slot->quick = slot->in_time = 0, slot->in_vain = minimum(slot->in_vain + 1, kSeldom);
  IoVec rest{address(&reply) + got, sizeof reply - got};
  if (i64 error = receive_all(slot->channel, &rest, 1)) return error;
  if (tries) return 0;
  if (ticks_since(begun) < quick) slot->quick = minimum(slot->quick + 1, kEnough << kSeldom);
  else slot->quick -= minimum(slot->quick, kSlow);
  return 0;
}

}  // namespace mosrun
