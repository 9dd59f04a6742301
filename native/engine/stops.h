// What a process that is away cannot know by itself, and mosd tells it.
#pragma once
#include <stdint.h>
#include <sys/types.h>

namespace mosrun {

// A stop by SIGSTOP is seen only from outside: the guest is told over the process's own event channel. False: it is not away (any more).
bool tell_stopped(pid_t pid, bool stopped);

// For so many ns home has no memory for it to come back with; 0: it has. False as above.
bool tell_room(pid_t pid, int64_t lacking);

}  // namespace mosrun
