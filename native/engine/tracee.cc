#include "engine/tracee.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "engine/gadgets.h"
#include "engine/inspect.h"
#include "engine/rests.h"
#include "engine/waits.h"
#include "stub/layout.h"
#include "syscalls.h"

namespace mosrun {

namespace {

constexpr int kGiveWay = 20;             // ms that all threads wait for one in state D
constexpr int64_t kWaitAgain = 100'000'000;   // ns that threads have to get back into their waits, on a busy machine
constexpr uint64_t kTrapBit = 1ull << (SIGTRAP - 1);
constexpr int kNudges = 10, kNudge = 10;  // looks at a thread for it to be found outside of the vdso, and µs between them
constexpr int64_t kJustOver = 100'000'000;   // ns
constexpr auto kGetRseq = static_cast<__ptrace_request>(0x420f);   // PTRACE_GET_RSEQ_CONFIGURATION (5.13)
constexpr auto kSingleBlock = static_cast<__ptrace_request>(33);
struct RseqConfiguration { uint64_t pointer; uint32_t size, signature, flags, pad; };

long trace(__ptrace_request request, pid_t tid, uint64_t address, uint64_t data) {
  return ptrace(request, tid, reinterpret_cast<void *>(address), reinterpret_cast<void *>(data));
}
template <class T> uint64_t at(T *p) { return reinterpret_cast<uint64_t>(p); }

bool get_regs(pid_t tid, user_regs_struct &regs) {
  iovec v{&regs, sizeof regs};
  return !trace(PTRACE_GETREGSET, tid, NT_PRSTATUS, at(&v));
}
bool set_regs(pid_t tid, user_regs_struct &regs) {
  iovec v{&regs, sizeof regs};
  return !trace(PTRACE_SETREGSET, tid, NT_PRSTATUS, at(&v));
}
uint64_t auxiliary(pid_t pid, uint64_t type) {
  std::string text;
  uint64_t entry[2];
  if (!read_file(proc_path(living_thread(pid), "auxv"), text)) return 0;
  for (size_t at = 0; at + sizeof entry <= text.size(); at += sizeof entry)
    if (memcpy(entry, text.data() + at, sizeof entry); entry[0] == type) return entry[1];
  return 0;
}
std::string failure(const char *what, pid_t tid) { return std::string(what) + " of thread " + std::to_string(tid) + " failed: " + strerror(errno); }

}  // namespace

Tracee::~Tracee() { resume_all(); }

void Tracee::resume_all() {
  // While it still stands: a SIGCONT that comes now takes it away. One that has come is pending, as all signals of a traced process are.
  if (owes_stop_ && !(strtoull(status_field(pid_, "ShdPnd").c_str(), nullptr, 16) >> (SIGCONT - 1) & 1)) kill(pid_, SIGSTOP);
  owes_stop_ = false;
  auto has_ended = [this](const Carried &c) { return std::none_of(threads_.begin(), threads_.end(), [&](const Thread &t) { return t.tid == c.tid; }); };
  if (!threads_.empty()) carried_.erase(std::remove_if(carried_.begin(), carried_.end(), has_ended), carried_.end());
  let_go_but(0);
  threads_.clear();                                        // what they were is not what they are at the next stop
  await_waits();
}

// Soon after they were let go: what waits at the same place then is what was stopped.
void Tracee::await_waits() {
  const int64_t let_go = clock_ns(CLOCK_MONOTONIC);
  for (Carried &c : carried_)
    while (waits_again(pid_, c, let_go) == Again::not_yet && clock_ns(CLOCK_MONOTONIC) - let_go < kWaitAgain) usleep(20);
}

// With the call that it was in as the program is to find it.
void Tracee::put_back(Thread &t) {
  carried_.erase(std::remove_if(carried_.begin(), carried_.end(), [&](const Carried &c) { return c.tid == t.tid; }), carried_.end());
  if (!t.in_call) return;
  const int nr = int(t.regs.rax);
  const int64_t result = int64_t(t.raw.rax), deadline = t.rest_ns >= 0 ? stopped_at_ + t.rest_ns : -1;
  // The kernel goes on with the rest of some waits (restart_syscall(2)), and then tells no more how long the whole has lasted; others it begins anew.
  // Whose time is not known is told apart from one that others have stopped.
  if (t.begun && !t.has_lost_time && (result == -516 || (deadline >= 0 && (t.deadline_ns >= 0 || result == -EINTR)))) carried_.push_back({t.tid, nr, switches_of(pid_, t.tid) + 1, deadline, uint64_t(t.raw.rip)});
  // Those that any stop ends are issued again; unless a handler is about to run, which ends them as well.
  if (t.begun && !t.done && result == -EINTR && !handler_waits(t.tid, t.mask)) {
    t.raw.rax = uint64_t(nr);
    t.raw.rip -= 2;
    t.raw.orig_rax = uint64_t(-1);
    if (t.rest_ns >= 0 && (nr == SYS_epoll_wait || nr == SYS_epoll_pwait)) t.raw.r10 = uint64_t((t.rest_ns + 999999) / 1000000);
  }
  set_regs(t.tid, t.raw);
}

// Of one that stands still.
void Tracee::let_go(pid_t tid) {
  const auto known = std::find_if(threads_.begin(), threads_.end(), [&](const Thread &t) { return t.tid == tid; });
  std::string ignored;
  int status;
  if (known != threads_.end() && known->read) {
    put_back(*known);
  } else if (Thread thread = note(tid); read_call(thread, ignored)) {
    put_back(thread);
  }
  if (trace(PTRACE_DETACH, tid, 0, 0)) waitpid(tid, &status, __WALL | WNOHANG);   // it has been killed: an execve(2) of another waits until it is gone
  attached_.erase(std::remove(attached_.begin(), attached_.end(), tid), attached_.end());
}

// Only what stands still can be let go: what has been asked to and does not yet is waited for, or is ours at the next stop still.
void Tracee::let_go_but(pid_t kept) {
  const int64_t until = clock_ns(CLOCK_MONOTONIC) + kGiveWay * 1000000LL;
  for (bool waits : {false, true})
    for (pid_t tid : std::vector<pid_t>(attached_)) {
      std::string ignored;
      if (tid == kept || (!waits && is_awaited(tid))) continue;
      if (waits && is_awaited(tid)) wait_stop(tid, int(std::max<int64_t>(0, until - clock_ns(CLOCK_MONOTONIC)) / 1000000), ignored);
      if (!is_awaited(tid)) let_go(tid);
    }
}

bool Tracee::is_awaited(pid_t tid) const { return std::find(awaited_.begin(), awaited_.end(), tid) != awaited_.end(); }
void Tracee::awaited_no_more(pid_t tid) { awaited_.erase(std::remove(awaited_.begin(), awaited_.end(), tid), awaited_.end()); }

// A thread can be stopped by our request, or on its way there by a signal, which it then gets. One that ends instead is no longer ours; whether the
// process goes on without it, the list of threads tells. One that sleeps where nothing may wake it (a slow disk, vfork) is waited for as long as the
// caller says.
bool Tracee::wait_stop(pid_t tid, int patience_ms, std::string &error) {
  auto ended = [&] {
    attached_.erase(std::remove(attached_.begin(), attached_.end(), tid), attached_.end());
    return awaited_no_more(tid), true;
  };
  stuck_ = 0;
  int64_t from = clock_ns(CLOCK_MONOTONIC), asleep_until = from;
  for (;;) {
    int status = 0;
    pid_t got = waitpid(tid, &status, __WALL | WNOHANG);
    if (got < 0 && errno != EINTR) return ended();
    if (got == 0) {
      const int64_t now = clock_ns(CLOCK_MONOTONIC), waited = now - from;
      char state = waited > 2000000 ? status_field(tid, "State")[0] : '?';
      // The end of a first thread is not reported while others live (wait(2)).
      if (tid == pid_ && state == 'Z') return ended();
      if (state == 'D' && waited > patience_ms * 1000000LL) {
        std::string where;
        read_file(proc_path(tid, "wchan"), where);
        if (where == "0") where.clear();
        error = "thread " + std::to_string(tid) + " waits in the kernel where nothing may wake it (state D" + (where.empty() ? "" : ", in " + where) + ")";
        return stuck_ = tid, false;
      }
      if (state == 'D') asleep_until = now;
      if (now - asleep_until > 2000000000LL) return error = "thread " + std::to_string(tid) + " could not be stopped (state " + state + ")", false;
      if (waited < 100000) sched_yield();                    // it is stopped within microseconds, if it has a processor
      else usleep(waited < 20000000 ? 20 : 1000);
      continue;
    }
    if (got < 0) continue;
    if (!WIFSTOPPED(status)) return ended();
    int signal = WSTOPSIG(status), event = status >> 16;
    if (event == PTRACE_EVENT_STOP) awaited_no_more(tid);
    if (event == PTRACE_EVENT_STOP && signal == SIGTRAP) return true;
    if (event == PTRACE_EVENT_STOP) return error = "it is stopped", false;
    trace(PTRACE_CONT, tid, 0, event ? 0 : uint64_t(signal));
  }
}

bool Tracee::stop_thread(pid_t tid, std::string &error) {
  if (trace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD)) {
    if (errno == ESRCH) return true;                       // ended: the next pass over the list shows what is there
    if (errno != EPERM) return error = failure("PTRACE_SEIZE", tid), false;
    std::string tracer = status_field(tid, "TracerPid");
    if (tracer.empty() || tracer == "0") return true;      // EPERM is also what a thread on its way out gets
    const pid_t who = atoi(tracer.c_str());
    if (who == getpid()) {                                 // asked in vain to stand still by one before this one
      attached_.push_back(tid);
      awaited_.push_back(tid);
      return true;
    }
    if (is_mover(who)) rival_ = true;
    return error = "it is traced by process " + tracer, false;
  }
  attached_.push_back(tid);
  awaited_.push_back(tid);
  if (trace(PTRACE_INTERRUPT, tid, 0, 0) && errno != ESRCH) return error = failure("PTRACE_INTERRUPT", tid), false;
  return true;
}

void Tracee::prepare() { gadgets_ = find_gadgets(living_thread(pid_)); }

bool Tracee::seize_for_exec(std::string &error) {
  if (trace(PTRACE_SEIZE, pid_, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)) return error = failure("PTRACE_SEIZE", pid_), false;
  attached_.push_back(pid_);
  return true;
}

bool Tracee::wait_for_exec(int timeout_ms, std::string &error) {
  for (int64_t until = clock_ns(CLOCK_MONOTONIC) + timeout_ms * 1000000LL;;) {
    int status = 0;
    pid_t got = waitpid(pid_, &status, __WALL | WNOHANG);
    if (got == 0) {
      if (clock_ns(CLOCK_MONOTONIC) > until) return error = "the program was not started", false;
      usleep(50);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || !WIFSTOPPED(status)) return attached_.clear(), error = "the program could not be started", false;
    int signal = WSTOPSIG(status), event = status >> 16;
    if (event == PTRACE_EVENT_EXEC) break;
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) trace(PTRACE_LISTEN, pid_, 0, 0);
    else trace(PTRACE_CONT, pid_, 0, event ? 0 : uint64_t(signal));
  }
  // execve has not returned yet; the next stop is before the first instruction.
  stopped_at_ = clock_ns(CLOCK_MONOTONIC);
  trace(PTRACE_INTERRUPT, pid_, 0, 0);
  trace(PTRACE_CONT, pid_, 0, 0);
  if (!wait_stop(pid_, kStopPatience, error)) return false;
  if (attached_.empty()) return error = "the program could not be started", false;
  Thread thread;
  thread.tid = pid_;
  threads_.assign(1, thread);
  return true;
}

// A thread in state D is waited for with the others running: they are to notice no more of it than they would anyway.
bool Tracee::stop(std::string &error, int patience_ms) {
  rival_ = false;
  stuck_ = 0;
  for (const int64_t until = clock_ns(CLOCK_MONOTONIC) + patience_ms * 1000000LL;;) {
    if (stop_all(error)) return true;
    const pid_t tid = stuck_;
    if (!tid) return false;
    for (bool stands = false; !stands;) {
      let_go_but(tid);                                     // and others in that state, once they stand still
      await_waits();
      stuck_ = tid;
      if (clock_ns(CLOCK_MONOTONIC) >= until) return false;
      stands = wait_stop(tid, kGiveWay, error);
      if (!stands && stuck_ != tid) return false;
    }
  }
}

// Who looks at the clock all the time is found in the vdso most of the time, and stepping out of it takes milliseconds: a few looks more are shorter. Who
// is in a call then has not been seen to begin it: that is not settled (read_threads).
bool Tracee::nudge() {
  std::vector<pid_t> run;
  for (pid_t tid : attached_) {
    user_regs_struct regs;
    if (!get_regs(tid, regs) || int64_t(regs.orig_rax) >= 0 || regs.rip < vdso_start_ || regs.rip >= vdso_end_) continue;
    if (!trace(PTRACE_CONT, tid, 0, 0)) run.push_back(tid);
  }
  if (run.empty()) return false;
  usleep(kNudge);
  if (attached_.size() == 1) stopped_at_ = clock_ns(CLOCK_MONOTONIC);   // nothing of it has stood still
  for (pid_t tid : run) {
    if (std::find(nudged_.begin(), nudged_.end(), tid) == nudged_.end()) nudged_.push_back(tid);
    awaited_.push_back(tid);
    trace(PTRACE_INTERRUPT, tid, 0, 0);
  }
  return true;
}

// Its call is known only when its registers are read (settle).
Thread Tracee::note(pid_t tid) {
  Thread thread;
  thread.tid = tid;
  thread.late_ns = late_[tid];
  const Asleep was = sleeping_[tid];
  if (const int64_t elapsed = slept(pid_, tid, was); elapsed >= 0) thread.rest_ns = -2 - elapsed;
  thread.raw.orig_rax = uint64_t(was.nr);
  for (const Carried &c : carried_) {
    if (c.tid != tid || c.nr != was.nr) continue;
    thread.was_let_go = true;
    thread.carried_ns = c.deadline;
    if (c.switches == was.switches) thread.deadline_ns = c.deadline;
  }
  return thread;
}

bool Tracee::stop_all(std::string &error) {
  nudged_.clear();
  threads_.clear();
  late_.clear();
  sleeping_.clear();
  astray_ = false;
  find_vdso();
  for (pid_t tid : threads_of(pid_)) sleeping_[tid] = asleep(pid_, tid, sleep_forgotten);
  stopped_at_ = clock_ns(CLOCK_MONOTONIC);
  if (stops_late) usleep(300000);
  // Threads born meanwhile are found by another pass; those of a stopped thread there are none.
  int nudges = may_nudge ? 0 : kNudges;
  for (int pass = 0; pass < 8 + 2 * kNudges; ++pass) {
    std::vector<pid_t> list = threads_of(pid_);
    for (pid_t tid : list)
      if (std::find(attached_.begin(), attached_.end(), tid) == attached_.end() && !stop_thread(tid, error)) return false;
    const std::vector<pid_t> asked = awaited_;
    for (pid_t tid : asked) {
      if (!wait_stop(tid, kGiveWay, error)) return false;
      late_[tid] = clock_ns(CLOCK_MONOTONIC) - stopped_at_;
    }
    if (!asked.empty() || attached_.empty()) continue;
    if (where_vdso_was_ != auxiliary(pid_, AT_SYSINFO_EHDR)) find_vdso();   // another program is executed
    if (nudges++ == kNudges || !nudge()) break;
  }
  if (attached_.empty()) return error = "it has ended", false;
  if (!awaited_.empty()) return error = "its threads change faster than they can be stopped", false;
  for (pid_t tid : nudged_)
    if (user_regs_struct regs; get_regs(tid, regs) && int64_t(regs.orig_rax) >= 0) astray_ = true;
  for (int i = 0; i < 50 && attached_.size() != threads_of(pid_).size(); ++i) usleep(100);   // those on their way out
  if (attached_.size() != threads_of(pid_).size()) return error = "its threads change faster than they can be stopped", false;
  for (pid_t tid : attached_) threads_.push_back(note(tid));
  std::sort(threads_.begin(), threads_.end(), [this](const Thread &a, const Thread &b) { return a.tid == pid_ ? b.tid != pid_ : b.tid != pid_ && a.tid < b.tid; });
  return true;
}

bool Tracee::step(pid_t tid, std::string &error) {
  for (int tries = 0; tries < 16; ++tries) {
    // To the next branch that is taken; where a hypervisor does not know of that, to the next instruction.
    if (trace(kSingleBlock, tid, 0, 0)) return error = failure("PTRACE_SINGLEBLOCK", tid), false;
    int status = 0;
    if (waitpid(tid, &status, __WALL) < 0 || !WIFSTOPPED(status)) return error = "it ended meanwhile", false;
    int signal = WSTOPSIG(status), event = status >> 16;
    if (signal == SIGTRAP && !event) return true;
    if (signal == SIGSTOP && !event) owes_stop_ = true;
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) return error = "it is stopped", false;
  }
  return error = "it cannot be single-stepped", false;
}

// On to the beginning or the end of a system call, where the kernel stops it without a signal.
bool Tracee::to_call(pid_t tid, std::string &error) {
  for (;;) {
    if (trace(PTRACE_SYSCALL, tid, 0, 0)) return error = failure("PTRACE_SYSCALL", tid), false;
    int status = 0;
    if (waitpid(tid, &status, __WALL) < 0 || !WIFSTOPPED(status)) return error = "it ended meanwhile", false;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) return true;
    if (status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) == SIGTRAP) continue;   // a SIGCONT has come
    if (status >> 8 != SIGSTOP) return error = "it is stopped", false;
    owes_stop_ = true;                                     // no mask keeps it back
  }
}

// Code of this kernel's vdso does not travel: a thread inside it is taken on to its end.
bool Tracee::leave_vdso(Thread &thread, std::string &error) {
  if (thread.regs.rip < vdso_start_ || thread.regs.rip >= vdso_end_) return true;
  // The kernel forces a step's SIGTRAP: a process that ignores or blocks it would lose its action (force_sig_info_to_task, kernel/signal.c).
  if (strtoull(status_field(pid_, "SigIgn").c_str(), nullptr, 16) & kTrapBit) return unsettled_ = true;
  uint64_t all = ~kTrapBit;                                // other signals wait meanwhile: a step that meets one would swallow it
  if (trace(PTRACE_SETSIGMASK, thread.tid, 8, at(&all))) return error = failure("PTRACE_SETSIGMASK", thread.tid), false;
  bool left = step_out(thread, error);
  trace(PTRACE_SETSIGMASK, thread.tid, 8, at(&thread.mask));
  return left;
}

bool Tracee::step_out(Thread &thread, std::string &error) {
  for (int steps = 0; thread.regs.rip >= vdso_start_ && thread.regs.rip < vdso_end_; ++steps) {
    if (steps > 20000) return error = "it does not leave the vdso", false;
    thread.regs.orig_rax = uint64_t(-1);
    if (!steps && !set_regs(thread.tid, thread.regs)) return error = failure("PTRACE_SETREGSET", thread.tid), false;
    if (!step(thread.tid, error) || !get_regs(thread.tid, thread.regs)) return false;
    thread.raw = thread.regs;
    thread.in_call = false;
  }
  return true;
}

// An interrupted call is issued again, as the kernel would do it (arch/x86/kernel/signal.c); with what is left of its time.
void Tracee::settle(Thread &thread) {
  int known = int(int64_t(thread.raw.orig_rax));
  int64_t elapsed = thread.rest_ns <= -2 ? -2 - thread.rest_ns : -1;
  thread.rest_ns = -1;
  thread.done = thread.most = 0;
  user_regs_struct &r = thread.regs;
  thread.raw = r;
  int64_t result = int64_t(r.rax);
  if (int64_t(r.orig_rax) < 0) return;
  thread.in_call = true;
  int nr = int(r.orig_rax);
  const bool goes_on = nr == syscalls::nr_restart_syscall;
  if (goes_on) nr = known;
  if (cut_short(pid_, thread.tid, thread.mask, nr, r, result, thread.most)) {
    thread.done = uint64_t(result);
    r.rax = uint64_t(nr);
    r.rip -= 2;
    thread.begun = true;
    return;
  }
  bool again = result == -512 || result == -513 || result == -514 || result == -516 || (result == -EINTR && ends_by_stop(nr) && !handler_waits(thread.tid, thread.mask));
  if (!again) return;
  if (nr < 0) {                                            // a continued call of unknown kind
    unsettled_ = true;
    return;
  }
  const int64_t whole = timeout_of(pid_, thread.tid, nr, r), written = result == -EINTR ? -1 : rest_written(pid_, thread.tid, nr, r);
  // The kernel reckoned it when it took the thread out of the call: on a busy machine long after it was asked to.
  if (written >= 0) thread.rest_ns = written + thread.late_ns;
  else if (whole >= 0 && elapsed >= 0) thread.rest_ns = std::max<int64_t>(0, whole - elapsed);
  else if (whole >= 0 && result == -EINTR) thread.rest_ns = whole;                         // the call ends so for having a time
  // Goes on since it was let go here, however often it has been woken meanwhile.
  if (goes_on && thread.deadline_ns < 0 && thread.carried_ns >= stopped_at_ - kJustOver) thread.deadline_ns = thread.carried_ns;
  if (nr != known || whole < 0) thread.deadline_ns = -1;
  if (goes_on && whole >= 0 && written < 0 && thread.deadline_ns < 0 && !thread.was_let_go) has_lost_time_ = thread.has_lost_time = true, thread.rest_ns = -1;
  if (thread.deadline_ns >= 0) thread.rest_ns = std::clamp<int64_t>(thread.deadline_ns - stopped_at_, 0, thread.rest_ns >= 0 ? thread.rest_ns : whole);
  r.rax = uint64_t(nr);
  r.rip -= 2;
  thread.begun = true;
}

bool Tracee::leave_rest(Thread &t, Remote region, uint64_t size, uint32_t slots, uint64_t finish, uint64_t call) {
  Slot slot{};
  if (t.raw.rip - region.value >= size) {
    // Its handler may run on top of it, and come back to it.
    for (uint32_t i = 0; i < slots; ++i)
      if (read_memory(t.tid, region + (kSlotsOffset + i * kSlotSize), &slot, sizeof slot) && slot.finishing && slot.tid == innermost_tid(pid_, t.tid)) return false;
    return true;
  }
  const uint64_t at = t.raw.rbx;
  if (at - region.value >= size || !read_memory(t.tid, {at}, &slot, sizeof slot) || !slot.finishing) return false;
  // Where it is to go on now: with the wait, or with the call itself. Anywhere else it is about to, or has come to the end of it.
  if (t.regs.rip != finish && t.regs.rip != call) return false;
  const uint64_t *kept = slot.rest_registers;
  user_regs_struct &r = t.regs;
  if (!t.done) t.most = slot.rest_most;
  t.done += slot.rest_done;
  r.rbx = kept[0], r.rdi = kept[1], r.rsi = kept[2], r.rdx = kept[3], r.r10 = kept[4], r.r8 = kept[5], r.r9 = kept[6];
  r.rip = kept[7] - 2;
  r.rax = slot.rest_call[6];
  r.orig_rax = uint64_t(-1);
  const uint32_t no = 0;
  if (!write_memory(t.tid, {at + offsetof(Slot, finishing)}, &no, sizeof no)) return false;
  t.begun = t.in_call = true;
  if (!t.done && slot.deadline && slot.deadline_ip == kept[7]) t.rest_ns = std::max<int64_t>(0, int64_t(slot.deadline) - stopped_at_);
  t.raw = r;                                               // should nothing come of the move: as after a signal
  t.raw.rip = kept[7];
  t.raw.rax = t.done;
  if (!t.done) t.raw.rip -= 2, t.raw.rax = r.rax;          // with nothing done it begins anew
  return true;
}

// It is mapped at the beginning of a program and stays there, but for mremap(2).
void Tracee::find_vdso() {
  where_vdso_was_ = auxiliary(pid_, AT_SYSINFO_EHDR);
  for (const Region &region : read_regions(living_thread(pid_), false))
    if (region.name == "[vdso]") vdso_start_ = region.start, vdso_end_ = region.end;
}

bool Tracee::read_call(Thread &t, std::string &error) {
  if (!get_regs(t.tid, t.regs)) return error = failure("PTRACE_GETREGSET", t.tid), false;
  if (t.regs.cs != 0x33) return error = "it runs 32-bit code", false;
  if (trace(PTRACE_GETSIGMASK, t.tid, 8, at(&t.mask))) return error = failure("PTRACE_GETSIGMASK", t.tid), false;
  settle(t);
  return t.read = true;
}

bool Tracee::read_threads(std::string &error) {
  unsettled_ = astray_;
  has_lost_time_ = false;
  for (Thread &t : threads_) {
    if (!read_call(t, error)) return false;
    if (!leave_vdso(t, error)) return false;
    t.regs.orig_rax = uint64_t(-1);
    t.xstate.resize(kFrameSize);
    iovec v{t.xstate.data(), t.xstate.size()};
    if (trace(PTRACE_GETREGSET, t.tid, NT_X86_XSTATE, at(&v))) return error = failure("reading the FPU state", t.tid), false;
    t.xstate.resize(v.iov_len);
    RseqConfiguration rseq{};
    if (trace(kGetRseq, t.tid, sizeof rseq, at(&rseq)) > 0) {
      t.rseq = rseq.pointer;
      t.rseq_length = rseq.size;
      t.rseq_signature = rseq.signature;
      uint64_t section = 0;
      struct { uint32_t version, flags; uint64_t start, length, abort; } cs{};
      if (t.rseq && read_memory(t.tid, {t.rseq + 8}, &section, 8) && section && read_memory(t.tid, {section}, &cs, sizeof cs) && t.regs.rip - cs.start < cs.length) t.regs.rip = cs.abort;
    }
    void *head = nullptr;
    size_t length = 0;
    if (!syscall(SYS_get_robust_list, t.tid, &head, &length)) t.robust_list = at(head), t.robust_length = length;
    std::string text;
    if (read_file("/proc/" + std::to_string(pid_) + "/task/" + std::to_string(t.tid) + "/schedstat", text)) t.cpu_ns = strtoull(text.c_str(), nullptr, 10);
  }
  return true;
}

bool Tracee::call(uint64_t nr, const uint64_t (&args)[6], uint64_t &result, std::string &error) {
  Thread &t = threads_.front();
  if (!still_there(t.tid, gadgets_)) gadgets_ = find_gadgets(t.tid);
  const Gadgets &gadgets = gadgets_;
  if (!gadgets.call) return error = "no system-call instruction was found in it", false;
  Thread ends = t;                                          // a part that is done must not be done again
  if (t.done) ends.regs = t.raw;
  Chain chain(t.tid, ends, gadgets, threads_);
  user_regs_struct regs = t.regs;
  regs.rax = nr;
  regs.rdi = args[0], regs.rsi = args[1], regs.rdx = args[2], regs.r10 = args[3], regs.r8 = args[4], regs.r9 = args[5];
  regs.rip = gadgets.call.value;
  regs.orig_rax = uint64_t(-1);
  regs.eflags &= ~uint64_t(0x500);                         // DF, TF
  if (chain.ready()) regs.rsp = chain.stack();
  uint64_t all = ~0ull;
  if (trace(PTRACE_SETSIGMASK, t.tid, 8, at(&all))) return error = failure("PTRACE_SETSIGMASK", t.tid), false;
  bool done = set_regs(t.tid, regs) && to_call(t.tid, error) && to_call(t.tid, error) && get_regs(t.tid, regs);
  result = regs.rax;
  user_regs_struct back = t.in_call ? t.raw : t.regs;
  set_regs(t.tid, back);
  // Back to a stop from which the kernel goes on with an interrupted call.
  if (done) {
    done = !trace(PTRACE_INTERRUPT, t.tid, 0, 0) && !trace(PTRACE_CONT, t.tid, 0, 0);
    if (done) awaited_.push_back(t.tid), done = wait_stop(t.tid, kStopPatience, error);
  }
  trace(PTRACE_SETSIGMASK, t.tid, 8, at(&t.mask));
  if (done && regs.rip != gadgets.call.value + 2) return error = "an injected call went astray", false;
  if (!done && error.empty()) error = failure("an injected call", t.tid);
  return done;
}

bool Tracee::send_off(Thread &t, uint64_t ip, uint64_t sp, std::string &error) {
  uint64_t all = ~0ull;
  user_regs_struct regs = t.regs;
  regs.rip = ip;
  regs.rsp = sp;
  regs.rbp = 0;
  regs.eflags = 0x202;
  regs.orig_rax = uint64_t(-1);
  if (trace(PTRACE_SETSIGMASK, t.tid, 8, at(&all)) || !set_regs(t.tid, regs) || trace(PTRACE_DETACH, t.tid, 0, 0)) return error = failure("handing over", t.tid), false;
  attached_.erase(std::find(attached_.begin(), attached_.end(), t.tid));
  carried_.clear();
  return true;
}

}  // namespace mosrun
