#include "engine/breakpoints.h"

#include <sched.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "engine/proc.h"

namespace mosrun {

namespace {

constexpr int64_t kPatience = 500'000;   // ns
constexpr unsigned kControl = 7;         // of the debug registers

bool set(pid_t tid, unsigned number, uint64_t value) {
  return !ptrace(PTRACE_POKEUSER, tid, offsetof(user, u_debugreg) + number * sizeof value, value);
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
    if (!got) {
      ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
      got = waitpid(tid, &status, __WALL);
    }
    if (got != tid) status = 0;
  }
  set(tid, kControl, 0);
  for (unsigned i = 0; i < kBreakpoints; ++i) set(tid, i, 0);
  return runs;
}

}  // namespace mosrun
