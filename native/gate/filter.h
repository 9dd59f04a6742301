// The seccomp filter of a guest.
#pragma once
#include <linux/filter.h>
#include <stdint.h>

namespace mosrun {

// A guest process gets its own /proc/self/maps and pagemap from its keeper, without a /proc: openat(kOwnFile, kOwnMaps or kOwnPagemap) from the stub.
// No program can mean this by a descriptor.
constexpr uint32_t kOwnFile = 0xfffffc18;   // -1000
constexpr uint64_t kOwnMaps = 0, kOwnPagemap = 1;

// The number of instructions written, or 0 if `max` is too small.
unsigned build_filter(uint64_t base, sock_filter *out, unsigned max);

}  // namespace mosrun
