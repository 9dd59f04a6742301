// Answers a guest process that asks for its own /proc/self/maps or pagemap (kOwnFile in filter.h).
#pragma once

namespace mosrun {

// One request from the notifier. `proc` is a descriptor of the hosting node's /proc.
void answer_own_file(int notifier, int proc);

}  // namespace mosrun
