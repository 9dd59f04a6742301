// Counters and state that others read from outside (process_vm_readv) to tell what the process does: append only.
#pragma once
#include <stdint.h>

namespace mosrun {

// Numbers of system calls, and behind them what a program waits for without a call.
constexpr unsigned kCallKinds = 512;
constexpr unsigned kPageFetched = 511;         // a page of a file's mapping, touched for the first time

// Calls of the program's of one kind, for which home was asked at least once.
struct CallTimes {
  uint64_t calls;
  uint64_t bytes;                              // of all requests and replies
  uint64_t taken;                              // ns, at its node: from the call to its result
  uint64_t at_home;                            // ns of them that home worked on it, or waited in the call
};

// Statistics::last_return, beside the numbers of calls: by whoever opens a file for writing that it maps; and nothing yet.
constexpr int32_t kByOrder = -1, kByFault = -2, kNotYet = -3, kByWriter = -5;

struct Statistics {
  uint64_t calls;               // system calls carried out by the deputy
  uint64_t bytes_out, bytes_in; // to the guest, from the guest
  uint64_t migrations;          // completed moves, both ways
  uint64_t freeze_ns;           // of the last move
  uint64_t moved_bytes;         // of the last move
  uint64_t moved_pages;
  int32_t last_return;          // what last brought it home
  uint32_t threads;
  uint32_t returns[kCallKinds]; // times each call brought it home
  uint32_t refused[kCallKinds]; // times each call was not served, and failed
  // Known up to the last request of each thread.
  CallTimes by_call[kCallKinds];
  CallTimes answered;           // away, without a word to home; `taken` without sleeps, but with waits for what had been asked for ahead
  CallTimes ahead;              // requests for what was read ahead
  uint64_t moved_saved;         // of the last move: bytes that were not sent, since others were packed
};

// What a clock's ticks are in nanoseconds, by two looks at both (times.cc).
struct TickRate {
  uint64_t ticks, ns;           // the first; 0: none yet
  volatile uint64_t scale;      // ns by tick, times 2^20
  volatile uint64_t next;       // ticks at which to look again: the longer the time between the looks, the better
};

}  // namespace mosrun
