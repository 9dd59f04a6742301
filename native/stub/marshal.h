// One request for a call, made and answered as the table describes it (marshal.cc).
#pragma once
#include "stub.h"

namespace mosrun {

struct Marshalled {
  i64 result;
  u64 unfinished;   // transferred by a call that is to be issued again
  u64 asked;        // bytes that a list of buffers names
  bool cut;         // and it names more than one request carries
};
// `skip`: so much of what a list of buffers names is done. `rest`: a part of it is, here or there.
Marshalled marshal(Trap &trap, u32 nr, u64 *args, u64 skip = 0, bool rest = false);

// From the program, with its final zero; without one within `max` bytes, its first max - 1 bytes and a zero. How long that is, or -EFAULT.
i64 copy_string(uint8_t *to, u64 from, u64 max);

inline i64 nanoseconds(const TimeSpec &t, i64 unit) {
  if (u64(t.seconds) > 4000000000 || u64(t.nanoseconds) > 1000000000) return 1ll << 61;   // for ever, or for the kernel to refuse
  return t.seconds * 1000000000 + t.nanoseconds * unit;
}

}  // namespace mosrun
