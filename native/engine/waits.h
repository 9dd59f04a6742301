// Time-outs of blocked calls: how long a thread has already waited, and how the call is issued again with what is left.
#pragma once
#include <sys/user.h>

#include "engine/proc.h"

namespace mosrun {

// What the scheduler knows of a thread that sleeps: for how long, ns; -1 if it does not say (proc(5), `sched`).
struct Asleep {
  int64_t elapsed_ns = -1;
  int nr = -1;            // of the call it is in
  int64_t switches = -1;  // how often the thread has gone to sleep
  int processor = -1;     // where it fell asleep
  int64_t averaged_ns = -1;   // that processor's clock when the thread's load was last averaged, if it says nothing better
};
// `forgotten`: a test's, as if the scheduler had forgotten since when.
Asleep asleep(pid_t pid, pid_t tid, bool forgotten = false);

// How long it had slept, now that it is stopped, ns; -1: unknown, or it has run meanwhile and may be in another call of the kind.
int64_t switches_of(pid_t pid, pid_t tid);
int64_t slept(pid_t pid, pid_t tid, const Asleep &was);

// The time-out of an interrupted call, ns; -1: it has none. `regs` are those of the call (orig_rax valid).
int64_t timeout_of(pid_t pid, pid_t tid, int nr, const user_regs_struct &regs);

// What an interrupted call has written of the rest of its time, ns; -1: nothing. select, pselect6 and ppoll write it over the time, sleeps where they are
// told to, also when a stop interrupts them.
int64_t rest_written(pid_t pid, pid_t tid, int nr, const user_regs_struct &regs);

// When a wait is to end that was stopped before, here or away: the kernel does not tell it a second time. Known by the thread and by how often that has
// gone to sleep.
struct Carried {
  pid_t tid;
  int nr;
  int64_t switches;                      // at least, until it has been seen to wait again
  int64_t deadline;                      // CLOCK_MONOTONIC, ns; -1: nobody knows
  uint64_t after;                        // the address behind its instruction
};
// How it stands with it since its thread was let go, at CLOCK_MONOTONIC `let_go`: it is in that call again, and how often it had gone to sleep for it is noted,
// for on its way there it may have had to wait for a page; it is not yet; or it may be in another, for all that can be seen.
enum class Again { waits, not_yet, who_knows };
Again waits_again(pid_t pid, Carried &carried, int64_t let_go);

// The time-out of the socket that a call waits for (SO_RCVTIMEO, SO_SNDTIMEO), ns; -1: none, or no such call.
int64_t socket_timeout(pid_t pid, pid_t tid, int nr, uint64_t fd);

// Has a signal come that the thread will handle when it goes on?
bool handler_waits(pid_t tid, uint64_t mask);

// Calls that return EINTR after any stop, although nothing has happened: they are simply issued again.
bool ends_by_stop(int nr);

}  // namespace mosrun
