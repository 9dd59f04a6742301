// Whether memory that is sent is packed first (lz4.h): where the link takes longer for what packing saves than the processor takes to pack it. The
// link's rate is what TCP measures of it (tcp_info(7): tcpi_delivery_rate, Linux 4.9); where there is none, as towards mosseal, nothing is packed, which
// also keeps lengths on an encrypted link from telling of contents.
#pragma once
#include <stdint.h>

#include "../stub/wire.h"
#include "lz4.h"

namespace mosrun {

constexpr uint32_t kPackedWorth = 8;           // at least the 8th of it must be saved

class Packing {
 public:
  static constexpr uint32_t kInfoSize = 168;   // of struct tcp_info, up to what is wanted of it
  static constexpr uint64_t kAskEvery = 1 << 20;

  // `size` bytes are about to be sent: is a piece of them to be tried? Otherwise they go as they are, all of them.
  bool wants(uint64_t size) {
    if (!link_) return false;
    if (!passes_) return true;
    const uint64_t pieces = (size + kPackedMax - 1) / kPackedMax;
    passes_ -= uint32_t(pieces < passes_ ? pieces : passes_);
    return false;
  }
  // So many have become so many, 0: were left as they are, in so many ns.
  void tried(uint32_t raw, uint32_t packed, uint64_t ns) {
    const uint64_t taken = (ns << 20) / raw, left = packed ? (uint64_t(packed) << 10) / raw : 1 << 10;
    // While one piece is packed the socket sends those before it: what takes longer counts.
    const uint64_t sent = link_ * left >> 10, longer = taken > sent ? taken : sent;
    const bool pays = longer < link_ - link_ / kPackedWorth;
    apart_ = pays ? 0 : apart_ ? apart_ * 2 : kApart;
    if (apart_ > kApartMax) apart_ = kApartMax;
    passes_ = apart_;
  }
  // To be asked again of the link after so many bytes.
  bool asks(uint64_t sent) { return sent - asked_ >= kAskEvery ? asked_ = sent, true : false; }
  // What the link does for all of the streams: those that it keeps waiting share it (tcpi_delivery_rate_app_limited: the others could have more).
  class Rate {
   public:
    void add(const uint8_t (&info)[kInfoSize]) {
      uint64_t rate;
      __builtin_memcpy(&rate, info + 160, sizeof rate);
      if (!(info[7] & 1)) busy_ += rate;
      else if (rate > idle_) idle_ = rate;
    }

   private:
    friend Packing;
    uint64_t busy_ = 0, idle_ = 0;
  };
  void hear(const Rate &rate) {
    const uint64_t most = rate.busy_ ? rate.busy_ : rate.idle_;
    if (!most) return;
    const uint64_t takes = (1'000'000'000ull << 20) / most;
    if (rate.busy_ || !link_ || takes < link_) link_ = takes;
  }

 private:
  static constexpr uint32_t kApart = 8, kApartMax = 64;
  uint64_t link_ = 0;                          // ns for a MiB; 0: not known
  uint64_t asked_ = 0;
  uint32_t apart_ = 0, passes_ = 0;            // pieces that are not tried: the more, the longer it has not paid
};

}  // namespace mosrun
