// Gives guest processes their own /proc/self/maps, pagemap, smaps and status: they have no /proc.
#pragma once
#include <sys/types.h>

namespace mosrun {

// One request from the notifier (kOwnFile in filter.h). `proc` is a descriptor of the hosting node's /proc.
void answer_own_file(int notifier, int proc);

}  // namespace mosrun
