// What a process may beyond what an ordinary user's program may.
#pragma once
#include <sys/types.h>

#include <string>

namespace mosrun {

// In words that follow "it has"; empty: nothing. As lib/processes/privileges.ts says it, which asks before anything is stopped: this is asked when it is
// stopped and can gain nothing any more.
std::string rights_of(pid_t pid);

}  // namespace mosrun
