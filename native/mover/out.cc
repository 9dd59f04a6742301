// Out: everything slow is done while the program runs (connections, husk, a search for a place); then it is stopped, given the stub, and let go: the
// stub does the rest and this process only passes descriptors and reports.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <numeric>

#include "blob.h"
#include "engine/gadgets.h"
#include "engine/inspect.h"
#include "engine/rights.h"
#include "engine/sha256.h"
#include "engine/tracee.h"
#include "mover/carried.h"
#include "mover/channels.h"
#include "mover/precopy.h"
#include "mover/report.h"

namespace mosrun {

namespace {

constexpr size_t kMoreThreads = 4;   // that may be born while the channels are opened

// A guest asks every five seconds whether the leases on files that are read ahead of it still hold (stub/read-ahead.cc).
bool leases_last() {
  std::string seconds;
  return read_file("/proc/sys/fs/lease-break-time", seconds) && atoi(seconds.c_str()) >= 20;
}
// Where each mapping counts, one that the program is not to wait for could fail (vm.overcommit_memory).
bool counts_strictly() {
  std::string mode;
  return !read_file("/proc/sys/vm/overcommit_memory", mode) || mode[0] == '2';
}
constexpr int kPassing = 80, kPassingPause = 5000;   // looks, and µs between them, while what keeps it may pass by itself

bool only_for_now(const std::vector<std::string> &why) { return why.size() == 1 && may_pass(why[0]); }

// A gap free in this process, where it is likely to stay so: V8 asks for random places below 2^46 (0x4000...), kernels put programs at two thirds of the
// address space (0x5555...) and what is mapped by itself below the stack; a guest's own mappings grow from a third of it upwards (0x2aaa...).
uint64_t find_gap(const std::vector<Region> &regions) {
  constexpr uint64_t kRanges[][2] = {{0x400000000000, 0x540000000000}, {0x570000000000, 0x7a0000000000}, {0x200000000000, 0x2a0000000000}};
  for (const auto &[first, last] : kRanges)
    for (uint64_t base = first; base < last; base += 1ull << 36)
      if (is_free(regions, base)) return base;
  return 0;
}

int place_taken(pid_t pid) {
  return say_failed("busy", "process " + std::to_string(pid) + " has just mapped memory where the stub is to lie; try again");
}

void fill_mm(pid_t pid, MmMap &mm) {
  ProcessStat s;
  read_stat(pid, s);
  mm = {s.start_code, s.end_code, s.start_data, s.end_data, s.start_brk, s.start_brk, s.start_stack, s.arg_start, s.arg_end, s.env_start, s.env_end, 0, 0, uint32_t(-1)};
}

// Slot 0 is the first thread's; one that has ended leaves it without a thread, and the next leads. Its channel carries the move all the same.
size_t first_slot(const Order &o, Tracee &tracee) { return tracee.threads()[0].tid == o.pid ? 0 : 1; }

// The region as the stub expects to find it: code, control page, one slot per thread with its registers.
std::string write_region(const Order &o, uint64_t base, Tracee &tracee, const Begin &begin, bool advised, bool unsure, const PreCopy &copy) {
  pid_t memory = tracee.threads()[0].tid;
  unsigned index = unsigned(first_slot(o, tracee));
  if (!write_memory(memory, {base}, blob, blob_size)) return "writing the stub failed";
  std::vector<uint8_t> page(sizeof(Control));
  auto &c = *reinterpret_cast<Control *>(page.data());
  c.magic = kControlMagic;
  c.base = base;
  c.phase = uint32_t(Phase::none);     // until threads are let go into it
  c.side = uint32_t(Side::home);
  c.pid = innermost_pid(o.pid);
  c.protocol = kProtocol;
  c.threads = uint32_t(tracee.threads().size());
  c.inside = c.threads;
  c.slots = c.threads + index;
  c.fault = o.fault;
  c.mover = c.mover_peer = c.event = c.pool = c.memory = c.maps = c.pagemap = c.proc = c.uffd = c.next.event = c.watch = c.copier_files[0] = c.copier_files[1] = -1;
  c.timeout_ms = uint32_t(std::max(1000, o.timeout_ms / 3));   // per step without progress
  c.session = o.session.id;
  memcpy(c.token, o.session.token, sizeof c.token);
  c.gate_address = o.session.gate.sin_addr.s_addr;
  c.gate_port = o.session.gate.sin_port;
  c.spare_serial = kOpenSpares + 1;
  c.seal = o.session.seal;
  for (Spare &s : c.spares) s = {-1, 0};
  for (Spare &s : c.next.spares) s = {-1, 0};
  for (unsigned i = 0; i < kStreams; ++i) c.ahead[i] = c.onward[i] = {-1, 0};
  ProcessStat stat;
  read_stat(o.pid, stat);
  c.process_cpu_base = stat.cpu_ticks * 1000000000 / uint64_t(sysconf(_SC_CLK_TCK));
  fill_mm(o.pid, c.mm);
  c.stack_limit = begin.stack_limit;
  c.stack_max = begin.stack_max;
  c.staged_bytes = copy.copied().bytes;
  c.staged_pages = copy.copied().pages;
  c.staged_saved = copy.copied().saved;
  c.live = copy.live();
  c.frozen_at = uint64_t(tracee.stopped_at());
  c.realtime_at = o.session.own_clock ? 0 : uint64_t(clock_ns(CLOCK_REALTIME));
  std::string pattern;
  c.core_pipe = read_file("/proc/sys/kernel/core_pattern", pattern) && pattern[0] == '|';
  c.unserved = uint32_t(o.unserved);
  c.packs = o.packs;
  c.keeps = o.keeps;
  c.reads_ahead = o.read_ahead && leases_last();
  c.writes_behind = o.write_behind;
  c.awake = o.awake;
  c.lazy = o.lazy && o.node != kFrozen;
  c.locked = strtoull(status_field(living_thread(o.pid), "VmLck").c_str(), nullptr, 10) > 0;
  c.maps_behind = o.write_behind && !counts_strictly() && !c.locked;
  c.advised = advised;
  c.unsure = !advised && unsure;
  const std::vector<ShownView> shown = shown_views(o.pid);
  std::copy(shown.begin(), shown.end(), c.shown);
  c.views_shown = !shown.empty();
  c.statistics.last_return = kNotYet;
  c.statistics.threads = c.threads;
  if (!write_memory(memory, {base + kControlOffset}, page.data(), page.size())) return "writing the stub's memory failed";
  if (index) {
    Slot ended{};
    ended.state = uint32_t(SlotState::dying);
    ended.tid = c.pid;
    ended.channel = ended.next_channel = -1;
    if (!write_memory(memory, {base + kSlotsOffset}, &ended, sizeof ended)) return "writing the stub's memory failed";
  }
  bool leads = true;
  for (Thread &t : tracee.threads()) {
    uint64_t at = base + kSlotsOffset + index * kSlotSize;
    std::vector<uint8_t> frame = build_frame(t, at + kFrameOffset);
    Slot slot{};
    slot.index = index;
    slot.state = uint32_t(SlotState::used);
    slot.tid = innermost_tid(o.pid, t.tid);
    slot.channel = slot.next_channel = -1;
    slot.process = reinterpret_cast<Process *>(base + kControlOffset + offsetof(Control, process));
    slot.mask = t.mask;
    slot.robust_list = t.robust_list;
    slot.robust_length = t.robust_length;
    slot.rseq = t.rseq;
    slot.rseq_length = t.rseq_length;
    slot.rseq_signature = t.rseq_signature;
    slot.frame_length = frame.size();
    slot.leader = leads;
    slot.cpu_base = t.cpu_ns;
    if (t.rest_ns >= 0) {
      slot.deadline = uint64_t(tracee.stopped_at() + t.rest_ns);
      slot.deadline_ip = t.regs.rip + 2;             // as a trap shows it: behind the instruction
    }
    if (t.begun) slot.begun_ip = t.regs.rip + 2;
    if (t.done) slot.rest_ip = t.regs.rip + 2, slot.rest_done = t.done, slot.rest_most = t.most;
    if (!write_memory(memory, {at}, &slot, sizeof slot) || !write_memory(memory, {at + kFrameOffset}, frame.data(), frame.size())) return "writing a thread's state failed";
    leads = false;
    ++index;
  }
  return "";
}

int cannot(pid_t pid, const std::string &why) {
  return say_failed(pid, "cannot-move", "process " + std::to_string(pid) + " cannot move: " + why);
}

}  // namespace

int move_out(const Order &order) {
  Order o = order;
  o.dies_at(Fault::mover_dies_at_start);
  o.session.owner = innermost_pid(o.pid);
  if (o.fails(Fault::other_version)) ++o.session.protocol;
  int64_t started = clock_ns(CLOCK_MONOTONIC);
  say_phase("started");
  std::string error;
  Tracee tracee(o.pid);
  if (o.at_exec) {
    if (!tracee.seize_for_exec(error)) return cannot(o.pid, error);
    say("{\"event\":\"armed\"}");
    if (!tracee.wait_for_exec(o.exec_timeout_ms, error)) return say_failed("not-found", "process " + std::to_string(o.pid) + ": " + error);
  }
  for (int i = 0; i < 100 && !o.at_exec && shares_memory_with(living_thread(o.pid)) > 0; ++i) usleep(2000);   // vfork: not for long
  const uint64_t ran = run_time(o.pid);
  std::vector<Region> regions;
  std::vector<std::string> why = reasons_to_stay(o.pid, o.at_exec, &regions);
  for (int i = 0; i < kPassing && !o.at_exec && only_for_now(why); ++i) usleep(kPassingPause), why = reasons_to_stay(o.pid, false, &regions);
  bool advised = is_advised(regions);
  if (!why.empty()) return cannot(o.pid, why[0]);
  ProcessStatus status;
  find_control(o.pid, status);
  Remote left;                                             // the stub of its last stay, which goes once all threads are stopped
  uint64_t left_size = 0;
  if (status.base && !strcmp(status.state, "home")) {
    bool gone = clean(o, error);
    for (int i = 0; i < 100 && !gone && error != kInCall; ++i) usleep(1000), gone = clean(o, error, i > 50);
    if (!gone && error == kInCall) left = status.base, left_size = kSlotsOffset + status.control.slots * kSlotSize;
    else if (!gone) return say_failed("busy", "process " + std::to_string(o.pid) + " is still settling after its last move (" + error + "); try again");
  } else if (status.base) {
    return say_failed("busy", "process " + std::to_string(o.pid) + " is " + status.state);
  }
  regions = read_regions(o.pid, false);
  uint64_t base = find_gap(regions);
  if (!base) return say_failed("cannot-move", "process " + std::to_string(o.pid) + " leaves no gap of " + std::to_string(kRegionSize >> 20) + " MiB in its address space");
  rlimit stack = limit_of(o.pid, "Max stack size"), space = limit_of(o.pid, "Max address space");
  size_t threads = o.at_exec ? 1 : threads_of(o.pid).size() + (living_thread(o.pid) != o.pid);
  uint64_t size = kSlotsOffset + threads * kSlotSize;
  if (space.rlim_cur != RLIM_INFINITY) {
    uint64_t used = size;
    for (const Region &r : regions) used += r.end - r.start;
    if (used > space.rlim_cur) return say_failed("cannot-move", "process " + std::to_string(o.pid) + " has no room for the stub under its limit on address space (RLIMIT_AS)");
  }
  Begin begin{};
  begin.base = base;
  begin.blob_hash = sha256_prefix(blob, blob_size);
  begin.stack_limit = stack.rlim_cur;
  begin.stack_max = stack.rlim_max;
  begin.pid = innermost_pid(o.pid);
  begin.timeout_ms = uint32_t(o.timeout_ms);
  begin.threads = uint32_t(threads);
  begin.fault = o.fault;
  Channels channels;
  // Looked at while it runs, for both.
  const bool follows = !o.at_exec && !o.lazy && o.node != kFrozen, large = follows && is_large(o.pid);
  o.keeps = o.keeps && large;
  channels.streams = large || (follows && o.fails(Fault::stream_cut));
  if (!o.at_exec) threads += threads > 1 ? kMoreThreads : 2;
  std::vector<unsigned> numbers(threads);
  std::iota(numbers.begin(), numbers.end(), 0u);
  if (int e = open_all(o, begin, numbers, channels, error)) return say_failed(code_of(e), error);
  say_phase("connected");
  o.dies_at(Fault::mover_dies_connected);

  if (!o.at_exec) tracee.prepare();
  tracee.stops_late = o.fails(Fault::stop_late);
  PreCopy copy(o, base, channels);
  KeptWaits keeps(o, tracee);
  if (!o.at_exec && o.node != kFrozen && !left && copy.begin(tracee)) {
    o.dies_at(Fault::mover_dies_copying);
    if (int e = copy.run())
      return e == kPlaceTaken ? place_taken(o.pid) : say_failed(o.pid, code_of(e), why_failed(o, e, "at home"));
    say_phase("copied");
  }
  tracee.sleep_forgotten = o.fails(Fault::sleep_forgotten);
  size_t first = 0, slots = 0;
  bool held = copy.holds();
  for (int tries = 0;; ++tries, held = false) {
    say_phase("stopping");
    tracee.may_nudge = tries < kNudgedTries;
    if (!o.at_exec && !held && !tracee.stop(error, o.timeout_ms / 3)) {
      if (tracee.rival() && tries < kPassing) {
        tracee.resume_all();
        usleep(kPassingPause);
        continue;
      }
      if (tracee.stuck()) return say_failed("busy", "process " + std::to_string(o.pid) + " could not be stopped: " + error + "; try again");
      return cannot(o.pid, error);
    }
    first = first_slot(o, tracee);
    slots = first + tracee.threads().size();
    if (!held && !tracee.read_threads(error)) return cannot(o.pid, error);
    if (slots > threads) return say_failed("busy", "process " + std::to_string(o.pid) + " started threads meanwhile; try again");
    why = reasons_to_stay(o.pid, true, &regions);
    if (only_for_now(why) && tries < kPassing) {
      tracee.resume_all();
      usleep(kPassingPause);
      continue;
    }
    if (!why.empty()) return cannot(o.pid, why[0]);
    if (tracee.has_lost_time()) return cannot(o.pid, "it goes on with a wait that was stopped (SIGSTOP, a debugger), and the kernel does not tell what is left of its time: it can be moved when that is over");
    BlobHeader header{};
    const uint32_t left_slots = left ? status.control.slots : 0;
    bool settled = !tracee.unsettled() && (!left || read_memory(tracee.threads()[0].tid, left, &header, sizeof header));
    for (Thread &t : tracee.threads()) settled = settled && tracee.leave_rest(t, left, left_size, left_slots, left.value + header.finish, left.value + header.finish_call) && restore_arguments(t, left.value, left_slots, error);
    pid_t other = shares_memory_with(tracee.threads()[0].tid);   // begun since it was asked first; the other would lose what is sent away
    if (settled && !other) break;
    if (other && (other < 0 || tries >= 200)) return cannot(o.pid, why_shared(other));
    if (!other && tries >= 50) return say_failed("busy", "process " + std::to_string(o.pid) + " was not found in a state it can be taken from; try again");
    tracee.resume_all();
    usleep(other ? 2000 : 500);
  }
  say_phase("stopped");
  // What the program has in the stub's place would be left behind as a part of the stub. From here on it maps nothing.
  if (!is_free(regions, base)) return place_taken(o.pid);
  MappedFiles mapped;
  if (std::string written = mapped.take(o.pid, regions); !written.empty()) return cannot(o.pid, written);
  // Since it was asked for it may have started a program that has more rights than it had.
  if (std::string rights = o.ordinary ? rights_of(o.pid) : ""; !rights.empty()) return cannot(o.pid, "it has " + rights + ", and such processes do not go to " + o.node);
  // What has run since it was inspected may have given advice since. The long list counts every page: 10 ms for 512 MiB.
  const bool unsure = !o.at_exec && run_time(o.pid) != ran;
  o.dies_at(Fault::mover_dies_stopped);
  uint64_t at = 0;
  if (left) {
    const uint64_t old[6] = {left.value, left_size, 0, 0, 0, 0};
    if (!tracee.call(SYS_munmap, old, at, error)) return cannot(o.pid, error);
  }
  size = kSlotsOffset + slots * kSlotSize;
  const uint64_t most = o.fails(Fault::stub_no_memory) ? 1ull << 62 : size;
  const uint64_t args[6] = {base, most, 7, 0x104022, ~0ull, 0};   // PROT_READ|WRITE|EXEC; PRIVATE|ANONYMOUS|NORESERVE|FIXED_NOREPLACE
  if (!tracee.call(SYS_mmap, args, at, error)) return cannot(o.pid, error);
  if (at != base) return say_failed("cannot-move", "process " + std::to_string(o.pid) + " has no memory for the stub: " + strerror(int(-int64_t(at))));
  o.dies_at(Fault::mover_dies_mapped);
  error = tracee.owes_stop() ? "it is stopped" : write_region(o, base, tracee, begin, advised, unsure, copy);
  if (!error.empty()) {
    uint64_t ignored;
    const uint64_t undo[6] = {base, size, 0, 0, 0, 0};
    tracee.call(SYS_munmap, undo, ignored, error);
    return tracee.owes_stop() ? cannot(o.pid, error) : say_failed("cannot-move", "process " + std::to_string(o.pid) + ": the stub could not be put into it");
  }
  o.dies_at(Fault::mover_dies_written);
  write_state(o, base + kControlOffset);
  const uint32_t leaving = uint32_t(Phase::leaving);
  if (!write_memory(o.pid, {base + kControlOffset + offsetof(Control, phase)}, &leaving, sizeof leaving)) return remove_state(o), cannot(o.pid, "the stub could not be started in it");
  uint64_t entry = reinterpret_cast<const BlobHeader *>(blob)->leave;
  for (size_t i = first; i < slots; ++i)
    if (!tracee.send_off(tracee.threads()[i - first], base + entry, base + kSlotsOffset + i * kSlotSize + kStackTop, error)) {
      remove_state(o);
      return cannot(o.pid, error);
    } else if (i == first) {
      o.dies_at(Fault::mover_dies_half_let_go);
    }
  say_phase("let-go");
  o.dies_at(Fault::mover_dies_let_go);
  numbers.resize(slots);
  int socket = take_socket(o, tracee.threads()[0].tid, base, 3000, error);
  ReportMessage last{};
  if (socket >= 0) hand_over(o, socket, channels, numbers, true, advised, mapped.leases);
  say_phase("handed-over");
  o.dies_at(Fault::mover_dies_following);
  int failure = socket < 0 ? EPROTO : follow(socket, last);
  if (socket >= 0) close(socket);
  if (failure) {
    remove_state(o);
    std::string ignored;
    for (int i = 0; i < 200 && !clean(o, ignored, i > 100); ++i) usleep(5000);
    if (failure == kCountsTime) return cannot(o.pid, "it has a timer of CPU time (setitimer(2): ITIMER_VIRTUAL, ITIMER_PROF)");
    return say_failed(o.pid, code_of(failure), error.empty() ? why_failed(o, failure, "at home") : "process " + std::to_string(o.pid) + ": " + error);
  }
  Figures f;
  f.from = "home";
  f.to = o.node;
  f.freeze_seconds = double(int64_t(last.at) - tracee.stopped_at()) / 1e9;
  f.total_seconds = double(clock_ns(CLOCK_MONOTONIC) - started) / 1e9;
  f.bytes = last.sent.bytes;
  f.pages = last.sent.pages;
  f.saved = last.sent.saved;
  f.threads = unsigned(tracee.threads().size());
  f.rounds = copy.copied().rounds;
  f.dirty_rate = copy.copied().dirty_rate;
  f.stood = copy.why_not();
  return say_done(o.pid, f);
}

}  // namespace mosrun
