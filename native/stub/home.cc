// Home: the process comes back. Every guest thread has sent its registers over its own channel; now its memory comes over one of them, into
// place. Home has kept the mappings, so only differences are applied: what the guest gave up goes, what it made is made, what it changed is written.
#include "stub.h"

namespace mosrun {

namespace {

i64 unmap(u64 start, u64 end) { return start < end ? sys(nr_munmap, start, end - start) : 0; }

i64 make(u64 start, u64 end, const Mapping &like) {
  if (start >= end) return 0;
  // Not reserved: the guest had it, however much that is, and home's heuristics of one call (overcommit) would refuse what is large and sparse.
  u64 flags = map_anonymous | map_fixed_noreplace | map_noreserve | (like.kind == Kind::shared_anon ? map_shared : map_private);
  if (like.kind == Kind::anon && (like.flags & kGrowsDown)) flags |= map_growsdown;
  i64 at = sys(nr_mmap, start, end - start, prot_read | prot_write, flags, u64(-1), 0);
  return failed(at) ? at : at == i64(start) ? 0 : -EEXIST_;
}

bool anonymous(const Mapping &m) { return m.kind == Kind::anon || m.kind == Kind::shared_anon; }

// The parts of `wanted` that home does not have are made; `home` is sorted, and what is before `from` ends before `wanted`, as it does before what comes next.
i64 make_missing(const Mapping *home, u64 homes, const Mapping &wanted, u64 &from) {
  u64 at = wanted.start;
  while (from < homes && home[from].end <= at) ++from;
  for (u64 i = from; i < homes && at < wanted.end; ++i) {
    const Mapping &h = home[i];
    if (h.end <= at) continue;
    if (h.start >= wanted.end) break;
    if (h.start > at) {
      if (h.kind == Kind::stack && h.start == minimum(h.start, wanted.end)) touch_write(at);        // the stack grows as it would have here
      else if (i64 error = make(at, h.start, wanted)) return error;
    }
    at = h.end;
  }
  return make(at, wanted.end, wanted);
}

// Home's shared mappings do not change while the process is away, so the numbers of their objects are those it left with. A mapping that grows
// downwards does so for ever.
bool same_memory(const Mapping &home, const Mapping &guest) {
  if (home.kind == Kind::anon && guest.kind == Kind::anon && (home.flags ^ guest.flags) & kGrowsDown) return false;
  if (home.kind != Kind::shared_anon) return guest.kind != Kind::shared_anon;
  u64 start = maximum(home.start, guest.start);
  return guest.kind == Kind::shared_anon && guest.object == home.object && guest.at + (start - guest.start) / kPage == home.at + (start - home.start) / kPage;
}

// What home has and the guest no longer: anonymous memory that the program has returned, or put other memory in the place of.
void remove_surplus(const Mapping *home, u64 homes, const Mapping *guest, u64 guests) {
  u64 g = 0;
  for (u64 i = 0; i < homes; ++i) {
    if (!anonymous(home[i])) continue;
    u64 at = home[i].start;
    while (g < guests && guest[g].end <= at) ++g;
    for (u64 j = g; j < guests && guest[j].start < home[i].end && at < home[i].end; ++j) {
      if (guest[j].start > at) unmap(at, guest[j].start);
      if (!same_memory(home[i], guest[j])) unmap(maximum(at, guest[j].start), minimum(guest[j].end, home[i].end));
      at = maximum(at, guest[j].end);
    }
    unmap(at, home[i].end);
  }
}

// Protections as the guest left them (`final`), or open for writing while pages arrive: home's own may be older than the guest's.
void protect(const Mapping *guest, u64 guests, bool final) {
  for (u64 i = 0; i < guests; ++i) {
    const Mapping &m = guest[i];
    if (m.kind == Kind::vdso || m.kind == Kind::other) continue;
    if (final) sys(nr_mprotect, m.start, m.end - m.start, m.prot);
    else if (m.flags & kWritten) sys(nr_mprotect, m.start, m.end - m.start, prot_read | prot_write);
  }
}

// The mover's, or, of a child born away, its own. Of this thread, not of the process: a first thread that has ended has no memory (proc(5)).
int own_maps() {
  Control &c = control();
  if (c.maps < 0) c.maps = keep_descriptor(int(sys(257, u64(c.proc), reinterpret_cast<u64>(c.advised ? "thread-self/smaps" : "thread-self/maps"), 0x80000)));
  return c.maps;
}

i64 receive_mappings(int channel, Mapping *guest, u64 &guests) {
  RecordHeader header{};
  if (i64 error = receive_all(channel, &header, sizeof header)) return error;
  if (header.type != Record::mappings || header.count > kListMax || header.length != header.count * sizeof(Mapping)) return -EPROTO_;
  guests = header.count;
  if (i64 error = receive_all(channel, guest, header.length)) return error;
  return possible_mappings(guest, guests) ? 0 : -EPROTO_;
}

i64 apply(const Mapping *guest, u64 guests, u64 brk) {
  Control &c = control();
  auto *home = pointer<Mapping>(base() + kBookOffset);
  if (fails(Fault::home_no_memory)) return -ENOMEM_;
  WideLimit wide;
  if (brk) sys(nr_brk, brk);
  int maps = own_maps();
  if (maps < 0) return maps;
  u64 homes = read_mappings(maps, home, kBookMax);
  remove_surplus(home, homes, guest, guests);
  homes = read_mappings(maps, home, kBookMax);
  if (!homes) return -ENOMEM_;
  u64 from = 0;
  for (u64 i = 0; i < guests; ++i)
    if (guest[i].kind != Kind::vdso && guest[i].kind != Kind::other)
      if (i64 error = make_missing(home, homes, guest[i], from)) return error;
  c.book_entries = 0;
  return 0;
}

i64 receive_all_pages(int channel, Staged *staged, u64 &bytes, u64 &pages) {
  for (;;) {
    RecordHeader header{};
    if (i64 error = receive_all(channel, &header, sizeof header)) return error;
    if (header.type == Record::end) return fails(Fault::home_cut_at_end) ? -EPIPE_ : 0;
    if (header.type != Record::pages) return -EPROTO_;
    if (pages && fails(Fault::home_cut_at_pages)) return -EPIPE_;
    if (i64 error = receive_pages(channel, header, buffer(this_slot()), staged)) return error;
    bytes += header.length;
    pages += (header.length - header.count * sizeof(PageRun)) / kPage;
  }
}

// What was left or kept here, and the program has given up or has whole: nothing of it is to stand beside what comes. What has come ahead is settled by itself.
void drop_stale(const Mapping *guest, u64 guests, const Staged &staged) {
  for (u64 i = 0, s = 0; i < guests; ++i) {
    const Mapping &m = guest[i];
    if ((m.kind != Kind::anon && m.kind != Kind::stack) || is_left(m)) continue;
    u64 at = m.start;
    while (s < staged.count && staged.list[s].end <= at) ++s;
    for (u64 j = s; j < staged.count && staged.list[j].start < m.end; ++j) {
      if (staged.list[j].start > at) drop_pages(m, at, staged.list[j].start - at);
      at = maximum(at, staged.list[j].end);
    }
    if (at < m.end) drop_pages(m, at, m.end - at);
  }
}

// What has come before the return failed is older than what the guest will make of it. What was left here is what it has not.
void give_back(const Mapping *guest, u64 guests) {
  for (u64 i = 0; i < guests; ++i) {
    const Mapping &m = guest[i];
    if (!(m.flags & kWritten) || m.kind == Kind::vdso || m.kind == Kind::other || is_left(m)) continue;
    drop_pages({m.start, m.end, prot_read | prot_write, m.kind, 0, 0, 0}, m.start, m.end - m.start);
  }
}

void close_channels() {
  Control &c = control();
  for (u32 i = 0; i < c.slots; ++i) {
    Slot *s = slot_at(i);
    if (s->state == u32(SlotState::used) && s->channel >= 0) sys(nr_close, u64(s->channel)), s->channel = -1;
  }
  sys(nr_close, u64(c.event));
  sys(nr_close, u64(c.proc));
  sys(nr_close, u64(c.maps));
  close_pipe();
  for (Spare &s : c.spares)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
  c.event = c.proc = c.maps = -1;
}

}  // namespace

void wait_for_deputies() {
  Control &c = control();
  for (u32 seen; (seen = load(&c.parked)) < c.threads;) futex_wait(&c.parked, seen, 20000000);
}

// Until the phase says home, the guest can go on where it is: it hears which it is to be by a word on its channels, or by their end.
i64 receive_home(int channel) {
  Control &c = control();
  // One of them may be giving back memory this moment, and must not give back what is about to come.
  wait_for_deputies();
  while (c.drop_next < c.book_entries) drop_skeleton(1ull << 40);      // or stale pages would stand beside the ones that come
  const bool ahead = load(&c.stage) == u32(Coming::used);
  if (!ahead) end_stage();
  Staged staged{ahead_list(), c.staged, 0, 0};
  set_timeout(channel, c.timeout_ms, false);
  Request dump{};
  auto *guest = pointer<Mapping>(base() + kListOffset);
  u64 guests = 0, pages = 0, bytes = 0;
  i64 error = fails(Fault::home_cut_at_start) ? -EPIPE_ : receive_all(channel, &dump, sizeof dump);
  if (!error && (dump.magic != kRequestMagic || dump.op != Op::dump)) error = -EPROTO_;
  if (!error) error = receive_mappings(channel, guest, guests);
  if (error) return end_stage(), error;
  {
    WithoutLimits lifted;
    error = apply(guest, guests, dump.args[0]);
  }
  // Something else that came ahead stands in the heap's way, and goes with all of it.
  if (!error && ahead && dump.args[0] && u64(sys(nr_brk, 0)) != dump.args[0]) error = -EAGAIN_;
  if (!error && (c.lazy || c.kept)) drop_stale(guest, guests, staged);
  protect(guest, guests, false);
  if (!error) error = receive_all_pages(channel, ahead ? &staged : nullptr, bytes, pages);
  if (!error) settle_rest(staged), c.staged = 0;
  end_stage();
  if (error) give_back(guest, guests);
  protect(guest, guests, true);
  if (error) return error;
  follow_advice(guest, guests, c.advised);
  release_leases();
  release_mapped_files();
  restore_program_handlers();
  release_held();
  show_real_views(false);
  c.statistics.migrations++;
  c.statistics.moved_bytes = bytes + guests * sizeof(Mapping) + (ahead ? c.stage_bytes : 0);
  c.statistics.moved_pages = pages;
  c.statistics.moved_saved = ahead ? c.stage_saved : 0;
  u64 frozen_at = dump.args[1], at = u64(now());
  c.statistics.freeze_ns = frozen_at < at ? at - frozen_at : 0;
  close_channels();
  c.inside = c.threads;
  store(&c.phase, u32(Phase::home));
  futex_wake(&c.phase);
  return 0;
}

}  // namespace mosrun
