// Where the time of a process that is away goes, counted as it runs: two reads of the processor's counter around each call, no call, no message.
//
// The guest knows how long its program waits, home how long it works: with each request a thread tells what it spent since its last one, and home adds what
// it had to do for it. The counter (rdtsc) is read unordered: some tens of instructions more or less are no matter.
#pragma once
#include "stub.h"

namespace mosrun {

inline u64 tick() {
  u32 low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return u64(high) << 32 | low;
}
inline u64 ticks_since(u64 begun) {
  const u64 at = tick();
  return at > begun ? at - begun : 0;                                   // processors whose counters differ
}
u64 in_ns(u64 ticks);
void keep_rate();                                         // of both clocks: from time to time

// Guest: one call of the program's, or another wait of its own that may need home.
class CallTime {
 public:
  CallTime(Slot *slot, u32 kind) : slot_(slot), kind_(kind), asked_(slot->asked), begun_(tick()) {}
  ~CallTime() {
    const u64 passed = ticks_since(begun_);
    if (slot_->asked == asked_) ++slot_->answered, slot_->answered_ticks += sleeps() ? 0 : passed;
    else if (slot_->asked > asked_) slot_->spent = passed, slot_->spent_for = kind_ + 1;
  }
  CallTime(const CallTime &) = delete;
  CallTime &operator=(const CallTime &) = delete;

 private:
  bool sleeps() const { return kind_ == nr_nanosleep || kind_ == nr_clock_nanosleep || kind_ == nr_futex || kind_ == nr_futex_waitv || kind_ == nr_futex_wait; }
  Slot *slot_;
  u32 kind_;
  u64 asked_, begun_;
};
void tell_times(Slot *slot, Request &r);                  // guest: before a request
void forget_times(Slot *slot);                            // guest: they have been told
void begin_times_of_child(Slot *slot);                    // guest: its own, not its parent's

// Home: one request.
void begin_times(Slot *slot);                             // of a thread that is a deputy from now on
class RequestTime {
 public:
  RequestTime(Slot *slot, const Request &r);              // takes what the guest tells with it
  ~RequestTime();
  void begin();                                           // all of it has come
  RequestTime(const RequestTime &) = delete;
  RequestTime &operator=(const RequestTime &) = delete;

 private:
  Slot *slot_;
  bool ahead_;
  u64 begun_;
};
// An answer on its way into the socket.
class SendingTime {
 public:
  explicit SendingTime(Slot *slot) : slot_(slot), begun_(slot->no_ticks ? 0 : tick()) {}
  ~SendingTime() {
    if (begun_) slot_->sending += ticks_since(begun_);
  }
  SendingTime(const SendingTime &) = delete;
  SendingTime &operator=(const SendingTime &) = delete;

 private:
  Slot *slot_;
  u64 begun_;
};

}  // namespace mosrun
