// Gives guest processes their own /proc/self/maps and pagemap: they have no /proc.
#pragma once
#include <sys/types.h>

namespace mosrun {

// One request from the notifier (kOwnFile in filter.h). `proc` is a descriptor of the hosting node's /proc.
void answer_own_file(int notifier, int proc);

// PoolType::proc: both files of `pid`, one with each of two PoolMessages on `socket`, which came with the request.
void send_own_files(int socket, pid_t pid, int proc);

}  // namespace mosrun
