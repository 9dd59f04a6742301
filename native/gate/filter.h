// The seccomp filter of a guest.
#pragma once
#include <linux/filter.h>
#include <stdint.h>

#include "stub/wire.h"

namespace mosrun {

// The number of instructions written, or 0 if `max` is too small.
unsigned build_filter(uint64_t base, sock_filter *out, unsigned max);

// install.cc: for this process and all it will make, never to be taken off. After it only the stub may make calls.
bool install_filter(const Begin &begin);

}  // namespace mosrun
