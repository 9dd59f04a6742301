#include "engine/breakpoints.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "engine/proc.h"

namespace mosrun {

namespace {

constexpr int64_t kPatience = 3'000'000; // ns: it may have to wait for a processor
constexpr unsigned kControl = 7;         // of the debug registers

bool set(pid_t tid, unsigned number, uint64_t value) {
  return !ptrace(PTRACE_POKEUSER, tid, offsetof(user, u_debugreg) + number * sizeof value, value);
}

bool has_trap_pending(pid_t tid) { return strtoull(status_field(tid, "SigPnd").c_str(), nullptr, 16) >> (SIGTRAP - 1) & 1; }

// Stopped wherever it is, it may just have come to the place: then there are two stops, in either order, and the program must be left none of them. It
// executes nothing between them.
pid_t interrupt(pid_t tid, int &status) {
  ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
  pid_t got = waitpid(tid, &status, __WALL);
  if (got != tid || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) return got;
  set(tid, kControl, 0);
  const bool asked_for = status >> 16 == PTRACE_EVENT_STOP;
  if (asked_for && !has_trap_pending(tid)) return got;
  if (ptrace(PTRACE_CONT, tid, nullptr, nullptr)) return got;
  return waitpid(tid, &status, __WALL);
}

}  // namespace

bool run_to(pid_t tid, const std::vector<uint64_t> &places, int &status) {
  uint64_t enabled = 0;
  bool ready = !places.empty();
  for (unsigned i = 0; i < places.size() && i < kBreakpoints; ++i) {
    ready = ready && set(tid, i, places[i]);
    enabled |= 1ull << 2 * i;            // L0 to L3; of execution, of one byte: all other bits are 0
  }
  ready = ready && set(tid, kControl, enabled);
  bool runs = ready && !ptrace(PTRACE_CONT, tid, nullptr, nullptr);
  if (runs) {
    const int64_t until = clock_ns(CLOCK_MONOTONIC) + kPatience;
    pid_t got;
    while (!(got = waitpid(tid, &status, __WALL | WNOHANG)) && clock_ns(CLOCK_MONOTONIC) < until) sched_yield();
    if (!got) got = interrupt(tid, status);
    if (got != tid) status = 0;
  }
  set(tid, kControl, 0);
  for (unsigned i = 0; i < kBreakpoints; ++i) set(tid, i, 0);
  return runs;
}

}  // namespace mosrun
