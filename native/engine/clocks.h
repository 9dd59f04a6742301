// The clocks of this node, read together.
#pragma once
#include <stdint.h>
#include <time.h>

namespace mosrun {

struct Clocks { int64_t realtime, monotonic, boottime; };   // ns

// Between two readings the thread may lose the processor, and the difference of the clocks would be wrong by that: the closest of some tries counts.
inline Clocks read_clocks() {
  auto read = [](clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
  };
  Clocks best{};
  int64_t least = INT64_MAX;
  for (int i = 0; i < 8 && least > 2000; i++) {
    Clocks clocks{};
    clocks.monotonic = read(CLOCK_MONOTONIC);
    clocks.realtime = read(CLOCK_REALTIME);
    clocks.boottime = read(CLOCK_BOOTTIME);
    int64_t took = read(CLOCK_MONOTONIC) - clocks.monotonic;
    if (took < least) best = clocks, least = took;
  }
  return best;
}

}  // namespace mosrun
