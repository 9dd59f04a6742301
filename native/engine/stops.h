// A stop by SIGSTOP is seen only from outside: the guest is told over the process's own event channel.
#pragma once
#include <sys/types.h>

namespace mosrun {

// False: it is not away (any more).
bool tell_stopped(pid_t pid, bool stopped);

}  // namespace mosrun
