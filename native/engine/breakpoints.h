// A stopped thread runs on to where it is wanted, by the processor's own breakpoints (Intel SDM volume 3, 18.2): nothing of its memory is changed.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#include <vector>

namespace mosrun {

constexpr unsigned kBreakpoints = 4;

// Lets it run until it executes at one of the places, for some ms at most: then it is stopped wherever it is. `status` is as waitpid(2) has
// it. False: there are no breakpoints to be had (errno), and it has not run.
bool run_to(pid_t tid, const std::vector<uint64_t> &places, int &status);

}  // namespace mosrun
