// Home: calls that are never served away, for a program that is to get an error instead of coming home for them (mosrun -e), that is to be
// told (-w), or that is to end then (-u).
#include "stub.h"
#include "syscalls.h"
#include "text.h"

namespace mosrun {

namespace {

void tell(u32 nr, bool ends) {
  Text text;
  text.put("mosrun: process ");
  text.put(u32(control().pid));
  text.put(": ");
  const char *name = nr < syscalls::count ? syscalls::names + syscalls::name_at[nr] : "";
  if (*name) text.put(name);
  else text.put("system call "), text.put(nr);
  text.put(ends ? " cannot be served away from home: the program ends (-u)\n" : " cannot be served away from home: it fails (-w)\n");
  sys(nr_write, 2, address(text.bytes), text.length);
}

// As the kernel ends a program for a forbidden call (seccomp(2)), without a core: what would be in it is elsewhere.
[[noreturn]] void end() {
  constexpr u64 sigsys = 31;
  Control &c = control();
  SigAction plain{};
  RLimit none{};
  u64 mask = 1ull << (sigsys - 1);
  block_all_signals();
  sys(nr_prlimit64, 0, 4, address(&none), 0);                // RLIMIT_CORE
  sys(nr_prctl, 4, 0);                                       // PR_SET_DUMPABLE: no core goes to a program either (core(5))
  sys(nr_rt_sigaction, sigsys, address(&plain), 0, 8);
  sys(nr_tgkill, u64(c.pid), sys(nr_gettid), sigsys);
  sys(nr_rt_sigprocmask, 1, address(&mask), 0, 8);           // SIG_UNBLOCK: here it ends
  for (;;) sys(nr_exit_group, 128 + sigsys);
}

}  // namespace

bool refuses_call(i64 reason) {
  Control &c = control();
  auto mode = Unserved(c.unserved);
  if (mode == Unserved::home || reason < 0 || reason >= i64(sizeof c.statistics.refused / sizeof *c.statistics.refused)) return false;
  u32 before = __atomic_fetch_add(&c.statistics.refused[reason], 1, __ATOMIC_RELAXED);
  bool ends = mode == Unserved::end;
  if (ends || (mode == Unserved::warn && !before)) tell(u32(reason), ends);
  if (ends) end();
  return true;
}

}  // namespace mosrun
