// What this node keeps of system files, for guests: memory that all of one user of one home-node share (stub/file-cache.h), and nobody else.
#pragma once
#include <stdint.h>

#include "array.h"

namespace mosrun {

class Caches {
 public:
  // The memory for those that mosd gives the same number, never 0; -1: there is none for them.
  int find(uint64_t number);
  bool any() const { return caches_.count > 0; }
  // Gives up what nobody has used for some time, or now where memory is short. `used`: whether a session has it.
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
  void drop(size_t i);
  Array<Cache> caches_;
};

}  // namespace mosrun
