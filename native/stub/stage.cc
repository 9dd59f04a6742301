// Home: memory of a process that is away comes back while it still runs there (ahead.cc). A thread of the stub's own takes it into place, where home has
// kept the mappings, or makes them; nobody looks at it there. When the process comes home by order, what has not changed since is there already.
// If it comes home otherwise, or nobody orders it, all of it is given up.
#include "stub.h"

namespace mosrun {

namespace {

constexpr i64 kSilence = 5'000'000'000, kUnwanted = 10'000'000'000;   // ns
constexpr i64 kLook = 5;                                              // ms

u32 number_of_stage() { return control().stage_number | kStageBit; }
bool goes_on() { return load(&control().phase) == u32(Phase::away) && load(&control().threads); }
bool change(Coming from, Coming to) {
  u32 seen = u32(from);
  return __atomic_compare_exchange_n(&control().stage, &seen, u32(to), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

// What is to come lies open here; whatever home's mapping was like, nobody sees it before it gets what the guest's is.
i64 make_room(u64 start, u64 end, const Mapping &) {
  Control &c = control();
  if (fails(Fault::stage_no_room)) return -ENOMEM_;
  WideLimit wide;
  WithoutLimits lifted;
  const int maps = int(sys(257, u64(c.proc), reinterpret_cast<u64>("thread-self/maps"), 0x80000));   // openat, O_CLOEXEC
  auto *home = pointer<Mapping>(base() + kListOffset);
  const u64 count = maps < 0 ? 0 : read_mappings(maps, home, kListMax, ahead_scratch(), kAheadScratch);
  if (maps >= 0) sys(nr_close, u64(maps));
  if (!count) return -ENOMEM_;
  u64 at = start;
  auto make = [&](u64 until) -> i64 {
    if (at >= until) return 0;
    const i64 made = sys(nr_mmap, at, until - at, prot_read | prot_write, map_private | map_anonymous | map_fixed_noreplace | map_noreserve, u64(-1), 0);
    return made == i64(at) ? 0 : failed(made) ? made : -EEXIST_;
  };
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = home[i];
    if (m.end <= start || m.start >= end || m.kind == Kind::other) continue;
    if (m.kind != Kind::anon) return -EEXIST_;
    if (i64 error = make(m.start)) return error;
    const u64 from = maximum(m.start, start), to = minimum(m.end, end);
    if (i64 error = sys(nr_mprotect, from, to - from, prot_read | prot_write)) return error;
    at = m.end;
  }
  return make(end);
}

void drop_staged() {
  Control &c = control();
  for (u64 i = 0; i < c.staged; ++i) {
    const Mapping &m = ahead_list()[i];
    drop_pages({m.start, m.end, prot_read | prot_write, Kind::anon, 0, 0, 0}, m.start, m.end - m.start);
  }
  c.staged = 0;
}

i64 take_record(int channel, const RecordHeader &header) {
  Control &c = control();
  if (header.type == Record::pages) {
    if (c.staged && fails(Fault::stage_cut)) return -EPIPE_;
    c.stage_bytes = c.stage_bytes + header.length;
    return receive_pages(channel, header, ahead_scratch());
  }
  if (header.type != Record::stage || header.count != 1 || header.length != sizeof(Mapping)) return -EPROTO_;
  Mapping m{};
  if (i64 error = receive_all(channel, &m, sizeof m)) return error;
  if (m.kind != Kind::anon || m.flags || !possible_mappings(&m, 1)) return -EPROTO_;
  Lock lock(&c.lock);                                       // or a child would see the list half changed
  return add_to_stage(ahead_list(), c.staged, kAheadListMax, m, make_room);
}

}  // namespace

i64 take_ahead(int channel) {
  for (i64 heard = now();;) {
    if (!goes_on()) return -EINTR_;
    const i64 ready = wait_readable(channel, kLook);
    if (ready < 0) return ready;
    if (!ready && now() - heard > kSilence) return -ETIMEDOUT_;
    if (!ready) continue;
    RecordHeader header{};
    if (i64 error = receive_all(channel, &header, sizeof header)) return error;
    if (header.type == Record::ahead) return header.count == number_of_stage() ? 0 : -EPROTO_;
    if (i64 error = take_record(channel, header)) return error;
    heard = now();
  }
}

namespace {

// The skeleton's pages are given back in portions, by another thread: what comes must not be among them.
i64 await_skeleton() {
  Control &c = control();
  const TimeSpec pause{0, 1'000'000};
  for (i64 until = now() + kSilence; c.drop_next < c.book_entries; sys(nr_nanosleep, address(&pause), 0))
    if (!goes_on() || now() > until) return -ETIMEDOUT_;
  return 0;
}

void tell_guest() {
  Event event{EventType::ahead, 0, 1, number_of_stage()};
  sys(nr_sendto, u64(control().event), address(&event), sizeof event, msg_nosignal, 0, 0);
}

// The program's are not touched by this thread: one that it opened could have the number that the program is to get. It has a table of its own, of which
// it needs two; the rest is closed at once, or the program's pipes would not end when it closes them.
void leave_descriptors() {
  Control &c = control();
  const u64 low = u64(minimum(c.event, c.proc)), high = u64(maximum(c.event, c.proc));
  if (low) sys(nr_close_range, 0, low - 1, 0);
  if (high > low + 1) sys(nr_close_range, low + 1, high - 1, 0);
  sys(nr_close_range, high + 1, ~0u, 0);
}

void take(void *) {
  block_all_signals();
  Control &c = control();
  leave_descriptors();
  Spare spare{-1, number_of_stage()};
  i64 error = await_skeleton();
  if (!error) error = open_numbered(spare);
  if (!error) {
    set_timeout(spare.fd, kSilence / 1'000'000, false);
    tell_guest();
    error = take_ahead(spare.fd);
  }
  if (spare.fd >= 0) sys(nr_close, u64(spare.fd));
  if (!error && change(Coming::coming, Coming::ready)) {
    add(&c.stages, 1);
    const i64 patience = fails(Fault::stage_late) ? 0 : kUnwanted;
    for (i64 until = now() + patience; goes_on() && now() < until && load(&c.stage) == u32(Coming::ready);) futex_wait(&c.stage, u32(Coming::ready), 20'000'000);
    if (change(Coming::ready, Coming::leaving)) {
      drop_staged();
      change(Coming::leaving, Coming::none);
    }
    for (;;) sys(nr_exit, 0);
  }
  drop_staged();
  change(Coming::coming, Coming::none);
  add(&c.stages, 1);
  for (;;) sys(nr_exit, 0);
}

}  // namespace

void open_stage() {
  Control &c = control();
  if (load(&c.stage_thread) || !change(Coming::none, Coming::coming)) return add(&c.stages, 1), void();
  c.stage_number = (c.stage_number + 1) & (kStageBit - 1);
  c.staged = 0;
  c.stage_bytes = 0;
  u64 keep = 0, all = ~0ull;
  sys(nr_rt_sigprocmask, 2, address(&all), address(&keep), 8);
  CloneArgs args{};
  args.flags = 0x50b00 | 0x200000 | 0x100000;               // VM FS SIGHAND THREAD SYSVSEM, CHILD_CLEARTID PARENT_SETTID; without FILES
  args.child_tid = args.parent_tid = address(const_cast<u32 *>(&c.stage_thread));
  args.stack = base() + kAheadOffset;
  args.stack_size = kAheadStack - 64;
  if (failed(clone_with_stack(nr_clone3, address(&args), sizeof args, 0, take, nullptr))) {
    store(&c.stage, u32(Coming::none));
    add(&c.stages, 1);
  }
  sys(nr_rt_sigprocmask, 2, address(&keep), 0, 8);
}

u32 use_stage() {
  if (!change(Coming::ready, Coming::used)) return 0;
  futex_wake(&control().stage);
  return number_of_stage();
}

void end_stage() {
  Control &c = control();
  const TimeSpec pause{0, 200'000};
  for (u32 stage; (stage = load(&c.stage)) != u32(Coming::none) && stage != u32(Coming::used);) sys(nr_nanosleep, address(&pause), 0);
  while (load(&c.stage_thread)) sys(nr_nanosleep, address(&pause), 0);
  if (load(&c.stage) == u32(Coming::used)) drop_staged();
  store(&c.stage, u32(Coming::none));
}

// It has the pages of it as well, but not what they are to become.
void leave_stage_to_parent() {
  Control &c = control();
  c.stage_thread = 0;
  if (load(&c.stage) == u32(Coming::none)) return;
  drop_staged();
  store(&c.stage, u32(Coming::none));
}

}  // namespace mosrun
