// Calls of which a part is done (stub/rest.h), from outside.
#pragma once
#include <sys/user.h>

#include "engine/proc.h"
#include "engine/tracee.h"

namespace mosrun {

// Has the call that a stop interrupted ended with `result`, a part, only for that? `regs` are those of the call (orig_rax valid). `most`: see Thread::most.
bool cut_short(pid_t pid, pid_t tid, uint64_t mask, int nr, const user_regs_struct &regs, int64_t result, uint64_t &most);

// Is a thread in such a call, so that a stop would cut it short?
bool transfers(pid_t pid, pid_t tid);

// Does a living thread of the process do the rest of a call in its stub, which lies at `base`?
bool finishes_a_call(pid_t pid, Remote base, uint32_t slots);

// A stopped thread whose call the stop has cut short goes on with the rest of it in the stub, as one does that came home within a call (stub/rest.cc).
// False: it cannot, and ends as after a signal.
bool finish_in_stub(pid_t pid, Thread &thread, Remote base, uint32_t slots, uint64_t finish);

}  // namespace mosrun
