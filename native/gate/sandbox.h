// What surrounds a guest: its namespaces, its empty root, its identity and its lack of rights.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#include "stub/wire.h"

namespace mosrun {

struct Sandbox {
  int proc = -1;        // the hosting node's /proc, for the keeper alone
  int offsets = -1;     // this process's timens_offsets
  int notifier = -1;    // listens for kOwnFile requests (filter.h)
};

// Runs in the keeper with all rights over its own namespaces, before anything is frozen at home. Returns 0 or -errno; *step names what failed.
int make_sandbox(Sandbox &sandbox, const char **step);

// Starts the guest's husk under home's pid, as a child. Returns the pid or -errno.
struct GuestStart {
  int husk, channel, event, pool, memory, cache;   // event -1: comes by the pool; memory -1: comes over the channel; cache -1: none
  Begin begin;
};
pid_t start_guest(Sandbox &sandbox, const GuestStart &start);

// The keeper keeps one right: to open its guests' /proc/PID/{maps,pagemap}; and only the calls its loop needs.
int drop_keeper_rights();

}  // namespace mosrun
