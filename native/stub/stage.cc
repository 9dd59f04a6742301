// Home: memory of a process that is away comes back while it still runs there (ahead.cc). A thread of the stub's own takes it into place, where home has
// kept the mappings, or makes them; nobody looks at it there. When the process comes home by order, what has not changed since is there already.
// If it comes home otherwise, or nobody orders it, all of it is given up.
#include "../engine/known.h"
#include "../engine/packing.h"
#include "stub.h"

namespace mosrun {

namespace {

constexpr i64 kSilence = 5'000'000'000, kUnwanted = 10'000'000'000;   // ns
constexpr i64 kCallAgain = 20'000'000;                                // ns
constexpr i64 kLook = 5;                                              // ms

u32 number_of_stage() { return control().stage_number | kStageBit; }
bool goes_on() { return load(&control().phase) == u32(Phase::away) && load(&control().threads); }
bool change(Coming from, Coming to) {
  u32 seen = u32(from);
  return __atomic_compare_exchange_n(&control().stage, &seen, u32(to), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool in_use_by_a_call(u64 start, u64 end) {
  Control &c = control();
  for (const auto &space : c.spaces)
    if (space[0] < end && start < space[1]) return true;
  return c.spaces_more;
}

// What home does not have. The heap is made as the guest's was (brk(2)), or the program could not let it grow any more.
i64 make(Mapping part) {
  if (part.flags & kHeap) {
    if (align_up(u64(sys(nr_brk, 0)), kPage) != part.start) return -EEXIST_;
    return u64(sys(nr_brk, part.end)) == part.end ? 0 : -ENOMEM_;
  }
  const i64 at = sys(nr_mmap, part.start, part.end - part.start, prot_read | prot_write, map_private | map_anonymous | map_fixed_noreplace | map_noreserve, u64(-1), 0);
  return at == i64(part.start) ? 0 : failed(at) ? at : -EEXIST_;
}

// What is to come lies open here; whatever home's mapping was like, nobody sees it before it gets what the guest's is.
i64 make_room(Mapping *list, u64 &staged, u64 max, const Mapping &part) {
  Control &c = control();
  if (fails(Fault::stage_no_room)) return -ENOMEM_;
  if (in_use_by_a_call(part.start, part.end)) return -EBUSY_;
  WideLimit wide;
  WithoutLimits lifted;
  const int maps = int(sys(257, u64(c.proc), reinterpret_cast<u64>("thread-self/maps"), 0x80000));   // openat, O_CLOEXEC
  auto *home = pointer<Mapping>(base() + kListOffset);
  const u64 count = maps < 0 ? 0 : read_mappings(maps, home, kListMax, ahead_scratch(), kAheadScratch);
  if (maps >= 0) sys(nr_close, u64(maps));
  if (!count) return -ENOMEM_;
  Mapping piece = part;
  auto take = [&](u64 until, bool made) -> i64 {
    if (piece.start >= until) return 0;
    piece.end = until;
    piece.flags = uint16_t((part.flags & kHeap) | (made ? kMade : 0));
    i64 error = made ? make(piece) : sys(nr_mprotect, piece.start, until - piece.start, prot_read | prot_write);
    if (!error) error = insert_in_stage(list, staged, max, piece);
    piece.start = until;
    return error;
  };
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = home[i];
    if (m.end <= part.start || m.start >= part.end || m.kind == Kind::other) continue;
    if (m.kind != Kind::anon) return -EEXIST_;
    if (i64 error = take(maximum(piece.start, m.start), true)) return error;
    if (i64 error = take(minimum(m.end, part.end), false)) return error;
  }
  return take(part.end, true);
}

void drop_all() {
  Control &c = control();
  for (u64 i = 0; i < c.staged; ++i) {
    const Mapping &m = ahead_list()[i];
    if ((m.flags & kMade) && !(m.flags & kHeap)) sys(nr_munmap, m.start, m.end - m.start);
    else drop_pages({m.start, m.end, prot_read | prot_write, Kind::anon, 0, 0, 0}, m.start, m.end - m.start);
  }
  c.staged = 0;
}

void drop_staged() {
  Lock lock(&control().lock);
  drop_all();
}

bool is_staged(const PageRun &run) {
  return stands_in({ahead_list(), control().staged, 0, 0}, run.address, run.address + run.length);
}

// Under the lock, so that nothing else comes to stand in their place meanwhile. What is not staged any more is read and forgotten.
i64 take_pages(int channel, const RecordHeader &header) {
  Control &c = control();
  auto *runs = reinterpret_cast<PageRun *>(ahead_scratch());
  auto *iov = reinterpret_cast<IoVec *>(runs + kRunsMax);
  uint8_t *rest = reinterpret_cast<uint8_t *>(iov + kRunsMax);
  const u64 room = kAheadScratch - u64(rest - ahead_scratch()), table = header.count * sizeof(PageRun);
  if (!header.count || header.count > kRunsMax || header.length < table) return -EPROTO_;
  if (i64 error = receive_all(channel, runs, table)) return error;
  u64 bytes = 0;
  for (u32 i = 0; i < header.count; ++i) {
    const PageRun &run = runs[i];
    if (!is_whole(run, kRunMax)) return -EPROTO_;
    bytes += run.length;
  }
  if (bytes + table != header.length) return -EPROTO_;
  Lock lock(&c.lock);
  bool all = true;
  for (u32 i = 0; i < header.count; ++i) {
    all = all && is_staged(runs[i]);
    iov[i] = {runs[i].address, runs[i].length};
  }
  for (u32 i = 0; i < header.count && all; ++i) sys(nr_madvise, runs[i].address, runs[i].length, 23);   // MADV_POPULATE_WRITE
  if (all) return receive_all(channel, iov, header.count);
  for (u32 i = 0; i < header.count; ++i)
    for (u64 done = 0; done < runs[i].length;) {
      const bool good = is_staged(runs[i]);
      const u64 part = good ? runs[i].length - done : minimum(room, runs[i].length - done);
      if (i64 error = receive_all(channel, good ? pointer<uint8_t>(runs[i].address + done) : rest, part)) return error;
      done += part;
    }
  return 0;
}

i64 take_packed(int channel, const RecordHeader &header) {
  Control &c = control();
  static_assert(kUnpackedRoom <= kAheadScratch);
  Unpacked got;
  if (i64 error = receive_packed(channel, header, ahead_scratch(), got)) return error;
  c.stage_saved = c.stage_saved + got.saved;
  Lock lock(&c.lock);
  for (u32 i = 0; i < got.count; got.bytes += got.runs[i++].length) {
    if (!is_staged(got.runs[i])) continue;
    IoVec from{address(got.bytes), got.runs[i].length}, to{got.runs[i].address, got.runs[i].length};
    // By the kernel: where there is no memory for it, that is an error and no signal.
    if (sys(nr_process_vm_writev, u64(sys(nr_gettid)), address(&from), 1, address(&to), 1, 0) != i64(to.length)) return -EFAULT_;
  }
  return 0;
}

// Behind the scratch and the list of what has come.
PageKey &key() { return *pointer<PageKey>(base() + kAheadOffset + kAheadStack + kAheadScratch + kAheadList); }
static_assert(kAheadStack + kAheadScratch + kAheadList + sizeof(PageKey) <= kAheadSize);

// Whether it is still there can change at any moment until it is written to.
bool is_known(u64 at, const PageHash &hash) {
  __atomic_fetch_or(pointer<uint8_t>(at), 0, __ATOMIC_SEQ_CST);
  return hash_page(pointer<void>(at), key()) == hash;
}

i64 look_for_known(int channel, const RecordHeader &header) {
  Control &c = control();
  auto *runs = reinterpret_cast<PageRun *>(ahead_scratch());
  auto *hashes = reinterpret_cast<PageHash *>(runs + kRunsMax);
  static_assert(kRunsMax * sizeof(PageRun) + kKnownMax * sizeof(PageHash) <= kAheadScratch);
  if (!header.count) return header.length == sizeof key() ? receive_all(channel, &key(), sizeof key()) : -EPROTO_;
  const u64 table = header.count * sizeof(PageRun);
  if (header.count > kRunsMax || header.length < table) return -EPROTO_;
  if (i64 error = receive_all(channel, runs, table)) return error;
  u64 pages = 0;
  for (u32 i = 0; i < header.count; ++i) {
    const PageRun &run = runs[i];
    if (!run.length || !is_whole(run, kKnownMax * kPage)) return -EPROTO_;
    pages += run.length / kPage;
  }
  if (pages > kKnownMax || header.length != table + pages * sizeof(PageHash)) return -EPROTO_;
  if (i64 error = receive_all(channel, hashes, pages * sizeof(PageHash))) return error;
  uint8_t known[kKnownMax / 8]{}, there[kKnownMax];
  {
    Lock lock(&c.lock);
    for (u64 i = 0, page = 0; i < header.count; page += runs[i++].length / kPage) {
      if (!is_staged(runs[i]) || sys(nr_mincore, runs[i].address, runs[i].length, address(there))) continue;
      for (u64 j = 0; j < runs[i].length / kPage; ++j)
        if (there[j] & 1 && is_known(runs[i].address + j * kPage, hashes[page + j])) {
          known[(page + j) / 8] |= uint8_t(1 << (page + j) % 8);
          c.stage_saved = c.stage_saved + kPage;
        }
    }
  }
  return fails(Fault::stage_mute) ? 0 : send_record(channel, Record::known, u32(pages), known, (pages + 7) / 8);
}

i64 take_record(int channel, const RecordHeader &header) {
  Control &c = control();
  if (header.type == Record::pages) {
    if (c.staged && fails(Fault::stage_cut)) return -EPIPE_;
    c.stage_bytes = c.stage_bytes + header.length;
    return take_pages(channel, header);
  }
  if (header.type == Record::packed) {
    c.stage_bytes = c.stage_bytes + header.length;
    return take_packed(channel, header);
  }
  if (header.type == Record::known) return look_for_known(channel, header);
  if (header.type != Record::stage || header.count != 1 || header.length != sizeof(Mapping)) return -EPROTO_;
  Mapping m{};
  if (i64 error = receive_all(channel, &m, sizeof m)) return error;
  if (m.kind != Kind::anon || m.flags & ~kHeap || !possible_mappings(&m, 1)) return -EPROTO_;
  Lock lock(&c.lock);                                       // or a child would see the list half changed
  return add_to_stage(ahead_list(), c.staged, kAheadListMax, m, make_room);
}

// As many of them as can be had.
i64 open_streams(Streams &from, const RecordHeader &header) {
  if (from.count > 1 || header.length || !header.count || header.count >= kStreams) return -EPROTO_;
  while (from.count <= header.count) {
    Spare spare{-1, number_of_stage() + from.count * kStageStream};
    if (fails(Fault::stage_one_stream) || open_numbered(spare)) break;
    set_timeout(spare.fd, kSilence / 1'000'000, false);
    from.fds[from.count++] = spare.fd;
  }
  from.turn = 0;
  return send_record(from.fds[0], Record::streams, from.count - 1, nullptr, 0);
}

i64 take_from(Streams &from) {
  bool begun = false;
  for (i64 heard = now(), called = 0;;) {
    if (!goes_on()) return -EINTR_;
    // A guest's thread that waits for the answer to a call does not look about before it has one.
    if (!begun && now() - called > kCallAgain) called = now(), let_go_of_calls();
    const i64 ready = wait_readable(from.next(), kLook);
    if (ready < 0) return ready;
    if (!ready && now() - heard > kSilence) return -ETIMEDOUT_;
    if (!ready) continue;
    RecordHeader header{};
    const int channel = from.take();
    if (i64 error = receive_all(channel, &header, sizeof header)) return error;
    if (header.type == Record::ahead) return header.count == number_of_stage() ? 0 : -EPROTO_;
    if (i64 error = header.type == Record::streams ? open_streams(from, header) : take_record(channel, header)) return error;
    begun = true;
    heard = now();
  }
}

}  // namespace

i64 take_ahead(int channel) {
  Streams from{{channel}, 1, 0};
  const i64 error = take_from(from);
  for (u32 i = 1; i < from.count; ++i) sys(nr_close, u64(from.fds[i]));
  return error;
}

namespace {

// The skeleton's pages are given back in portions, by a thread that may be in a call for as long as it likes: what comes must not be among them.
i64 clear_skeleton() {
  Control &c = control();
  const TimeSpec pause{0, 200'000};
  for (; c.drop_next < c.book_entries; sys(nr_nanosleep, address(&pause), 0)) {
    if (!goes_on()) return -EINTR_;
    drop_skeleton(1ull << 40);
  }
  return 0;
}

void tell_guest() {
  Event event{EventType::ahead, uint8_t(control().kept), 1, number_of_stage()};
  sys(nr_sendto, u64(control().event), address(&event), sizeof event, msg_nosignal, 0, 0);
}

// The program's are not touched by this thread: one that it opened could have the number that the program is to get. It has a table of its own, of which
// it needs two. Until it has it, it shares the program's: with copies of its descriptors the program's pipes would not end when it closes them. Those
// below the stub's own are not even copied (CLOSE_RANGE_UNSHARE; Linux 6.12, before that they are closed by the same call).
i64 leave_descriptors() {
  Control &c = control();
  constexpr u64 unshare = 2;
  const u64 low = u64(minimum(c.event, c.proc)), high = u64(maximum(c.event, c.proc));
  if (fails(Fault::stage_lingers)) {
    const TimeSpec pause{0, 300'000'000};
    sys(nr_nanosleep, address(&pause), 0);
  }
  if (!low) return -EINVAL_;
  if (i64 error = sys(nr_close_range, 0, low - 1, unshare)) return error;
  if (high > low + 1) sys(nr_close_range, low + 1, high - 1, 0);
  sys(nr_close_range, high + 1, ~0u, 0);
  return 0;
}

void take(void *) {
  block_all_signals();
  Control &c = control();
  Spare spare{-1, number_of_stage()};
  i64 error = leave_descriptors();
  if (!error) error = clear_skeleton();
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

// The thread's copies of the program's descriptors are closed when it ends, and whoever closes one of a message queue in this process takes back its
// mq_notify(3) (mqueue_flush_file, ipc/mqueue.c).
static bool has_message_queue() {
  constexpr u64 nr_fstatfs = 138, mqueue = 0x19800202, most = 65536;
  u64 status[15];                                           // struct statfs begins with the type
  const u64 end = minimum<u64>(soft_limit(7), most);        // RLIMIT_NOFILE
  for (u64 fd = 0, missing = 0; fd < end && missing < 1024; ++fd) {
    if (sys(nr_fstatfs, fd, address(status))) ++missing;
    else if (missing = 0, status[0] == mqueue) return true;
  }
  return false;
}

void open_stage() {
  Control &c = control();
  if (has_message_queue()) return add(&c.stages, 1), void();   // its memory comes as it stands
  if (load(&c.stage_thread) || !change(Coming::none, Coming::coming)) return add(&c.stages, 1), void();
  c.stage_number = (c.stage_number + 1) % kStageNumbers;
  c.staged = 0;
  c.stage_bytes = 0;
  c.stage_saved = 0;
  u64 keep = 0, all = ~0ull;
  sys(nr_rt_sigprocmask, 2, address(&all), address(&keep), 8);
  CloneArgs args{};
  args.flags = 0x50f00 | 0x200000 | 0x100000;               // VM FS FILES SIGHAND THREAD SYSVSEM, CHILD_CLEARTID PARENT_SETTID
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

// The list gets no longer by it than by a piece; where there is no room for that, more of it is forgotten.
void unstage(u64 start, u64 end) {
  Control &c = control();
  Mapping *list = ahead_list();
  for (u64 i = 0; i < c.staged;) {
    Mapping &m = list[i];
    if (m.end <= start || m.start >= end) {
      ++i;
      continue;
    }
    Mapping after = m;
    after.start = end;
    const bool splits = m.start < start && m.end > end;
    if (m.start < start) m.end = start, ++i;
    else if (m.end > end) m.start = end, ++i;
    else {
      for (u64 j = i + 1; j < c.staged; ++j) list[j - 1] = list[j];
      c.staged = c.staged - 1;
    }
    if (splits && insert_in_stage(list, c.staged, kAheadListMax, after)) drop_pages({after.start, after.end, prot_read | prot_write, Kind::anon, 0, 0, 0}, after.start, after.end - after.start);
  }
}

// It has the pages of it as well, but not what they are to become.
void leave_stage_to_parent() {
  Control &c = control();
  c.stage_thread = 0;
  zero(c.spaces, sizeof c.spaces);
  c.spaces_more = 0;
  if (load(&c.stage) == u32(Coming::none)) return;
  drop_all();                                               // the lock is its parent's
  store(&c.stage, u32(Coming::none));
}

}  // namespace mosrun
