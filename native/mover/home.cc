// Home: the deputy is told by a signal, and the two halves of the process do the rest between them. Afterwards the stub is taken out.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/inspect.h"
#include "engine/rests.h"
#include "engine/tracee.h"
#include "engine/waits.h"
#include "mover/carried.h"
#include "mover/report.h"

namespace mosrun {

constexpr int64_t kOrderPatience = 2'000'000'000, kNudgeAgain = 20'000'000;   // ns

std::string node_of(const Order &o) {
  std::string text;
  if (!read_file(o.state_dir + "/" + std::to_string(o.pid) + ".json", text)) return o.node;
  size_t at = text.find("\"node\":\"");
  if (at == std::string::npos) return o.node;
  at += 8;
  return text.substr(at, text.find('"', at) - at);
}

// Signals that are queued count against the program's own limit (RLIMIT_SIGPENDING, kernel/signal.c), which it may have used up. Those of kill(2) come all
// the same, without saying who sent them.
static void nudge(pid_t pid, Remote base, siginfo_t &info) {
  const pid_t tid = living_thread(pid);
  auto sent = [&] { return !syscall(SYS_rt_tgsigqueueinfo, pid, tid, kControlSignal, &info) || errno != EAGAIN; };
  if (sent()) return;
  rlimit own{};
  bool done = false;
  if (!prlimit(pid, RLIMIT_SIGPENDING, nullptr, &own)) {
    const rlimit wide{own.rlim_max, own.rlim_max};
    done = !prlimit(pid, RLIMIT_SIGPENDING, &wide, nullptr) && sent();
    prlimit(pid, RLIMIT_SIGPENDING, &own, nullptr);
  }
  const uint64_t now = uint64_t(clock_ns(CLOCK_MONOTONIC));
  if (!done && write_memory(tid, base + (kControlOffset + offsetof(Control, killed_at)), &now, sizeof now)) kill(pid, kControlSignal);
}

// The order is a word in the process's memory, and the signal only has it look there: so a signal too many does no harm. One that comes when the process
// has just started another program, or is at home again, would end it; so the two sides look out for each other (home-signals.cc).
bool order_deputy(pid_t pid, Remote base, uint32_t order) {
  auto word = [&](size_t offset, uint32_t value) { return write_memory(living_thread(pid), base + (kControlOffset + offset), &value, sizeof value); };
  siginfo_t info{};
  info.si_signo = kControlSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_value.sival_ptr = reinterpret_cast<void *>(kOurs);
  if (!word(offsetof(Control, order), order)) return false;
  for (int64_t until = clock_ns(CLOCK_MONOTONIC) + kOrderPatience, next = 0; clock_ns(CLOCK_MONOTONIC) < until; usleep(100)) {
    Control c{};
    if (clock_ns(CLOCK_MONOTONIC) >= next) {                // the thread that was to look may have ended
      if (!word(offsetof(Control, mover_nudges), 1) || !read_control(pid, base, c)) return false;
      if (c.order && !c.no_nudges && Phase(c.phase) == Phase::away) nudge(pid, base, info);
      if (!word(offsetof(Control, mover_nudges), 0)) return false;
      next = clock_ns(CLOCK_MONOTONIC) + kNudgeAgain;
    }
    if (!read_control(pid, base, c)) return false;
    if (!c.order) return true;
    if (Phase(c.phase) != Phase::away) break;               // on its way by itself
  }
  word(offsetof(Control, order), 0);
  return true;                                              // whoever waits for what comes of it says why nothing did
}

namespace {

std::string why_away(const std::string &who, int error) {
  switch (error) {
    case ENOMEM: return "home has no memory for " + who + "; it goes on where it is";
    case EAGAIN: case ETIMEDOUT: return who + " sent its memory too slowly, or not at all; it goes on where it is";
    case EPIPE: case ECONNRESET: return "the connection that carried the memory of " + who + " was cut; it goes on where it is";
    default: return who + " could not be taken back (" + strerror(error) + "); it goes on where it is";
  }
}

uint64_t *argument(user_regs_struct &r, uint64_t number) {
  switch (number) {
    case 1: return reinterpret_cast<uint64_t *>(&r.rdi);
    case 3: return reinterpret_cast<uint64_t *>(&r.rdx);
    case 4: return reinterpret_cast<uint64_t *>(&r.r10);
    case 5: return reinterpret_cast<uint64_t *>(&r.r8);
    default: return nullptr;
  }
}

}  // namespace

// A sleep that began away waits for a time that stands in the slot: once the kernel has read it, the register gets the program's value again.
bool restore_arguments(Thread &t, uint64_t base, uint32_t slots, std::string &error) {
  for (unsigned i = 0; i < slots; ++i) {
    Slot slot{};
    if (!read_memory(t.tid, {base + kSlotsOffset + i * kSlotSize}, &slot, sizeof slot) || !slot.deadline_argument) continue;
    uint64_t *value = argument(t.raw, slot.deadline_argument);
    if (!value || *value != base + kSlotsOffset + i * kSlotSize + offsetof(Slot, scratch)) continue;
    if (!t.in_call) return error = "a thread is about to continue its sleep", false;
    *value = slot.deadline_value;
    if (uint64_t *also = argument(t.regs, slot.deadline_argument)) *also = slot.deadline_value;
  }
  return true;
}

// A wait whose rest stands in the slot, and that the kernel would begin anew with the whole of the program's own time, were the thread put out of it; but
// those go on as they are that keep in the kernel when they end (restart_syscall(2)).
static bool waits_by_slot(pid_t pid, Remote base, uint32_t slots) {
  for (pid_t tid : threads_of(pid)) {
    std::string text;
    unsigned long nr, after;
    if (!read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall", text)) continue;
    if (sscanf(text.c_str(), "%lu %*x %*x %*x %*x %*x %*x %*x %lx", &nr, &after) != 2 || nr == SYS_nanosleep || nr == SYS_clock_nanosleep || nr == SYS_futex) continue;
    const int32_t inner = innermost_tid(pid, tid);
    for (uint32_t i = 0; i < slots; ++i) {
      Slot slot{};
      if (read_memory(pid, base + (kSlotsOffset + i * kSlotSize), &slot, sizeof slot) && slot.tid == inner && slot.deadline_argument && slot.deadline_ip == after) return true;
    }
  }
  return false;
}

bool clean(const Order &o, std::string &error, bool thorough) {
  const pid_t pid = o.pid;
  ProcessStatus status;
  if (!find_control(pid, status) || !status.base) return true;
  if (strcmp(status.state, "home")) return error = std::string("it is ") + status.state, false;
  if (status.control.inside && !thorough) return error = "a thread is still on its way back", false;
  // The rest of a call is done in the stub; another would end with a part for our stop (stub/rest.h). They may take long: it is tried again later.
  if (finishes_a_call(pid, status.base, status.control.slots) || waits_by_slot(pid, status.base, status.control.slots)) return error = kInCall, false;
  for (pid_t tid : threads_of(pid))
    if (transfers(pid, tid)) return error = kInCall, false;
  Tracee tracee(pid);
  KeptWaits keeps(o, tracee);
  if (!tracee.stop(error) || !tracee.read_threads(error)) return false;
  uint64_t base = status.base.value, size = kSlotsOffset + status.control.slots * kSlotSize;
  BlobHeader header{};
  bool cut = false;
  for (Thread &t : tracee.threads())
    if (t.done && read_memory(t.tid, status.base, &header, sizeof header)) cut = finish_in_stub(pid, t, status.base, status.control.slots, base + header.finish) || cut;
  if (cut) return error = kInCall, false;
  for (Thread &t : tracee.threads()) {
    user_regs_struct &r = t.raw;
    if (r.rip - base < size || t.regs.rip - base < size) return error = "a thread is still in the stub", false;
    for (unsigned i = 0; i < status.control.slots; ++i) {
      Slot slot{};
      if (!read_memory(t.tid, {base + kSlotsOffset + i * kSlotSize}, &slot, sizeof slot)) continue;
      const bool same = slot.deadline && slot.deadline_ip == r.rip && slot.tid == innermost_tid(pid, t.tid);
      if (same && t.begun && !t.done) t.deadline_ns = int64_t(slot.deadline), t.rest_ns = std::max<int64_t>(0, t.deadline_ns - tracee.stopped_at());
    }
    if (!restore_arguments(t, base, status.control.slots, error)) return false;
  }
  uint64_t ignored = 0;
  const uint64_t args[6] = {base, size, 0, 0, 0, 0};
  return tracee.call(SYS_munmap, args, ignored, error);
}

bool shares_memory_away(pid_t pid, ProcessStatus &status) {
  for (int tries = 0; status.base && status.control.vfork && !strcmp(status.state, "away"); ++tries) {
    if (tries >= 200) return true;
    usleep(2000);
    find_control(pid, status);
  }
  return false;
}

// Most of its memory comes while it runs there. Should nothing come of it, all of it comes as it stands.
static bool copy_home_ahead(const Order &o, const ProcessStatus &status) {
  if (!order_deputy(o.pid, status.base, kAheadHome)) return false;
  Control c{};
  uint64_t bytes = 0;
  for (int64_t until = clock_ns(CLOCK_MONOTONIC) + o.timeout_ms * 1000000LL, told = 0; read_control(o.pid, status.base, c); usleep(100)) {
    if (c.stages != status.control.stages || Phase(c.phase) != Phase::away) break;
    const int64_t now = clock_ns(CLOCK_MONOTONIC);
    if (c.stage_bytes != bytes) bytes = c.stage_bytes, until = now + o.timeout_ms * 1000000LL;
    if (now > until) break;
    if (now - told > 1'000'000'000) told = now, say_phase("copying");
  }
  const bool all = Coming(c.stage) == Coming::ready;
  say_phase(all ? "copied" : "not copied");
  return all;
}

int move_home(const Order &o) {
  int64_t started = clock_ns(CLOCK_MONOTONIC);
  std::string who = "process " + std::to_string(o.pid);
  ProcessStatus status;
  find_control(o.pid, status);
  if (!status.base) return say_failed("not-found", who + " is not away");
  if (!strcmp(status.state, "leaving") || !strcmp(status.state, "moving")) return say_failed("busy", who + " is just " + status.state);
  if (shares_memory_away(o.pid, status)) return say_failed("cannot-move", who + " cannot move: " + why_shared_away);
  if (!status.base) return say_failed("not-found", who + " has ended or started another program meanwhile");
  o.dies_at(Fault::mover_dies_ordering);
  if (o.fault) write_memory(o.pid, status.base + (kControlOffset + offsetof(Control, fault)), &o.fault, sizeof o.fault);
  bool live = false;
  say_phase("started");
  if (!strcmp(status.state, "away") && status.control.protocol == kProtocol && node_of(o) != kFrozen) live = copy_home_ahead(o, status);
  if (!strcmp(status.state, "away") && !order_deputy(o.pid, status.base, kHome)) return say_failed("not-found", who + " has ended");
  say_phase("ordered");
  o.dies_at(Fault::mover_dies_ordered);
  Control c{};
  bool back = false;
  for (int64_t until = started + o.timeout_ms * 1000000LL; !back;) {
    if (!read_control(o.pid, status.base, c)) {
      remove_state(o);
      return say_failed("not-found", who + " has ended or started another program meanwhile");
    }
    back = Phase(c.phase) == Phase::home;
    if (back) break;
    if (c.given_up != status.control.given_up) return say_failed(code_of(c.return_error), why_away(who, c.return_error));
    if (clock_ns(CLOCK_MONOTONIC) > until) return say_failed("timeout", who + " did not come home in " + std::to_string(o.timeout_ms / 1000) + " s; it is still " + (Phase(c.phase) == Phase::away ? "away" : "on its way"));
    usleep(100);
  }
  Figures f;
  f.from = node_of(o);
  f.to = "home";
  f.freeze_seconds = double(c.statistics.freeze_ns) / 1e9;
  f.bytes = c.statistics.moved_bytes;
  f.pages = c.statistics.moved_pages;
  f.saved = c.statistics.moved_saved;
  f.threads = c.threads;
  f.rounds = live;
  say_phase("home");
  o.dies_at(Fault::mover_dies_cleaning);
  std::string error;
  for (int i = 0; i < 100 && !clean(o, error, i > 50) && error != kInCall; ++i) usleep(1000);
  remove_state(o);
  f.total_seconds = double(clock_ns(CLOCK_MONOTONIC) - started) / 1e9;
  return say_done(o.pid, f);
}

int explain(const Order &o) {
  std::vector<std::string> why = reasons_to_stay(o.pid);
  if (pid_t other = shares_memory_with(living_thread(o.pid))) why.push_back(why_shared(other));
  std::string list;
  for (const std::string &reason : why) list += (list.empty() ? "" : ",") + quoted(reason);
  say(std::string("{\"event\":\"explain\",\"movable\":") + (why.empty() ? "true" : "false") + ",\"reasons\":[" + list + "]}");
  return 0;
}

}  // namespace mosrun
