// What this node keeps of system files, for guests: memory that all of one user of one home-node share (stub/file-cache.h), and nobody else.
#pragma once
#include <stdint.h>

#include "array.h"

namespace mosrun {

class Caches {
 public:
  // The memory for those that mosd gives the same number, never 0; -1: there is none for them. All together have an eighth of the machine's memory: for
  // more what nobody uses is given up. `used`: whether a session has it.
  template <class Used>
  int find(uint64_t number, const Used &used) {
    for (Cache &cache : caches_) {
      if (cache.number == number) return cache.fd;
    }
    size_t oldest = caches_.count;
    for (size_t i = 0; caches_.count >= most() && i < caches_.count; i++) {
      if (!used(caches_[i].number) && (oldest == caches_.count || caches_[i].since < caches_[oldest].since)) oldest = i;
    }
    if (oldest < caches_.count) drop(oldest);
    return caches_.count < most() ? make(number) : -1;
  }
  bool any() const { return caches_.count > 0; }
  // Gives up what nobody has used for some time, or now where memory is short.
  template <class Used>
  void sweep(int64_t now, const Used &used) {
    const bool is_short = memory_is_short();
    for (size_t i = caches_.count; i-- > 0;) {
      if (used(caches_[i].number)) caches_[i].since = now;
      else if (is_short || now - caches_[i].since > kRests) drop(i);
    }
  }

 private:
  static constexpr int64_t kRests = 600'000'000'000;   // ns
  struct Cache {
    uint64_t number;
    int fd;
    int64_t since;             // when it was last used, CLOCK_MONOTONIC ns
  };
  static bool memory_is_short();
  static size_t most();
  int make(uint64_t number);
  void drop(size_t i);
  Array<Cache> caches_;
};

}  // namespace mosrun
