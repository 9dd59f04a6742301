// Hosting node: a guest builds itself. The husk has opened what it may, mapped this code and jumped here; from the home process, or from the node that
// hosted it until now, come its state, its mappings and its pages, received into place. Nothing of the program runs before home has said so.
#include "../engine/packing.h"
#include "times.h"

namespace mosrun {

namespace {

constexpr i64 kPatience = 15000;

[[noreturn]] void refuse(Slot *slot, i64 error) {
  send_record(slot->channel, Record::fail, u32(-error), nullptr, 0);      // to home, wherever the memory comes from
  sys(nr_shutdown, u64(slot->channel), 1);
  for (;;) sys(nr_exit_group, 1);
}
void check(Slot *slot, i64 result) {
  if (failed(result)) refuse(slot, result);
}

void count_pages(const RecordHeader &header, Sent &got, u64 saved = 0) {
  got.bytes += header.length + sizeof header;
  got.pages += (header.length + saved - header.count * sizeof(PageRun)) / kPage;
  got.saved += saved;
}

// The hosting kernel's vvar and vdso move into the region, one mapping after another (several at once only since Linux 6.17).
u64 move_vdso(Slot *slot, Mapping *list, u64 count) {
  u64 first = 0, vdso = 0;
  for (u64 i = 0; i < count; ++i) {
    bool ours = list[i].kind == Kind::vdso || (list[i].kind == Kind::other && list[i].start < 1ull << 47);
    if (!ours) continue;
    if (!first) first = list[i].start;
    u64 to = base() + kVdsoOffset + (list[i].start - first);
    if (to + (list[i].end - list[i].start) > base() + kVdsoOffset + kVdsoSize) refuse(slot, -ENOMEM_);
    check(slot, sys(nr_mremap, list[i].start, list[i].end - list[i].start, list[i].end - list[i].start, 3, to));   // MAYMOVE | FIXED
    if (list[i].kind == Kind::vdso) vdso = to;
    list[i].start = list[i].end = 0;
  }
  return vdso;
}

u64 clear_husk(Slot *slot) {
  Control &c = control();
  auto *list = pointer<Mapping>(base() + kListOffset);
  u64 count = read_mappings(c.maps, list, kListMax);
  if (!count) refuse(slot, -EIO_);
  sys(nr_munmap, base() + kVdsoOffset, kVdsoSize);
  u64 vdso = move_vdso(slot, list, count);
  for (u64 i = 0; i < count; ++i)
    if (list[i].start != list[i].end && list[i].end <= 1ull << 47) sys(nr_munmap, list[i].start, list[i].end - list[i].start);
  return vdso;
}

bool grows(const Mapping &m) { return m.kind == Kind::stack || (m.kind == Kind::anon && (m.flags & kGrowsDown)); }

i64 map(u64 start, u64 end, const Mapping &like) {
  const bool growing = grows(like);
  u64 flags = map_private | map_anonymous | map_fixed_noreplace | map_noreserve;     // shared memory too: there is nobody to share it with
  i64 at = sys(nr_mmap, start, end - start, prot_read | prot_write, flags | (growing ? map_growsdown : 0), u64(-1), 0);
  return failed(at) ? at : u64(at) == start ? 0 : -EEXIST_;
}

// What the process sends while it still runs goes to where it will be wanted. Kept in the upper part of the list's place, sorted.
Staged stage() { return {pointer<Mapping>(base() + kListOffset + kStageOffset), 0, 0, 0}; }

i64 map_stage(Mapping *list, u64 &count, u64 max, const Mapping &part) {
  i64 error = map(part.start, part.end, part);
  return error ? error : insert_in_stage(list, count, max, part);
}

void receive_stage(Slot *slot, int source, const RecordHeader &header, Staged &staged) {
  Mapping m{};
  if (header.count != 1 || header.length != sizeof m) refuse(slot, -EPROTO_);
  check(slot, receive_all(source, &m, sizeof m));
  if (!can_be_staged(m) || !possible_mappings(&m, 1)) refuse(slot, -EPROTO_);
  check(slot, fails(Fault::stage_no_memory) ? -ENOMEM_ : add_to_stage(staged.list, staged.count, kStagedMax, m, map_stage));
}

void receive_packed_ahead(Slot *slot, int source, const RecordHeader &header, const Staged &staged, Sent &got) {
  static_assert(kUnpackedRoom <= kBufferSize);
  Unpacked packed;
  check(slot, receive_packed(source, header, buffer(slot), packed));
  for (u32 i = 0; i < packed.count; packed.bytes += packed.runs[i++].length) {
    const PageRun &run = packed.runs[i];
    if (!stands_in(staged, run.address, run.address + run.length)) refuse(slot, -EPROTO_);   // it would be a fault of this code
    copy(pointer<uint8_t>(run.address), packed.bytes, run.length);
  }
  count_pages(header, got, packed.saved);
}

// What the keeper has: who opened it had heard so before anybody opened the channels of threads. From home a spare; from another node one for memory.
int await_stream(Slot *slot, u32 index) {
  Control &c = control();
  for (;;) {
    for (const Spare &s : c.spares)
      if (s.fd >= 0 && s.index == index && c.memory < 0) return s.fd;
    PoolMessage message{};
    int fd;
    check(slot, receive_fd(c.pool, &message, sizeof message, &fd, kPatience));
    if (fd < 0) continue;
    if (message.kind == ChannelKind::memory && message.index % kStreams == index && c.memory >= 0) return fd;
    if (message.kind != ChannelKind::spare || !keep_spare({fd, message.index})) refuse(slot, -EPROTO_);
  }
}

void receive_streams(Slot *slot, const RecordHeader &header, Streams &from) {
  if (header.length || header.count >= kStreams || (from.count > 1) == (header.count > 0)) refuse(slot, -EPROTO_);
  for (u32 i = 1; i < from.count; ++i)
    if (control().memory < 0) set_timeout(from.fds[i], 0, false);
    else sys(nr_close, u64(from.fds[i]));
  for (u32 i = 1; i <= header.count; ++i) set_timeout(from.fds[i] = await_stream(slot, i), kPatience, false);
  from.count = header.count + 1;
  from.turn = 0;
}

// Everything up to the process's state, whose header this leaves in `header`. Home hears how far it is.
void receive_ahead(Slot *slot, int channel, RecordHeader &header, Staged &staged, Sent &got) {
  constexpr u64 kToldAfter = 32 << 20;
  Streams from{{channel}, 1, 0};
  for (u64 told = 0;;) {
    const int source = from.take();
    check(slot, receive_record(source, header, kPatience));
    if (header.type == Record::streams) {
      receive_streams(slot, header, from);
    } else if (header.type == Record::stage) {
      receive_stage(slot, source, header, staged);
    } else if (header.type == Record::pages || header.type == Record::packed) {
      if (header.type == Record::packed) {
        receive_packed_ahead(slot, source, header, staged, got);
      } else {
        check(slot, receive_pages(source, header, buffer(slot)));
        count_pages(header, got);
      }
      if (got.bytes / kToldAfter != told) told = got.bytes / kToldAfter, check(slot, send_record(slot->channel, Record::ahead, kSoFar, nullptr, 0));
    } else if (header.type == Record::ahead) {
      check(slot, send_record(slot->channel, Record::ahead, header.count, nullptr, 0));
    } else {
      if (from.count > 1) refuse(slot, -EPROTO_);
      return;
    }
  }
}

// The mappings are known now: what is there for none of them goes.
void fit_stage(Slot *slot, Staged &staged, const Mapping *book, u64 count) {
  u64 kept = 0, b = 0;
  Mapping *fitting = pointer<Mapping>(base() + kListOffset);
  for (u64 i = 0; i < staged.count; ++i) {
    const Mapping &s = staged.list[i];
    u64 at = s.start;
    while (b < count && book[b].end <= s.start) ++b;
    for (u64 j = b; j < count && book[j].start < s.end; ++j) {
      const Mapping &m = book[j];
      if (!can_be_staged(m) || grows(m) != grows(s) || m.end <= at) continue;
      u64 from = maximum(at, m.start), to = minimum(s.end, m.end);
      if (from > at) sys(nr_munmap, at, from - at);
      if (kept == kStagedMax) refuse(slot, -ENOMEM_);
      fitting[kept] = s;
      fitting[kept].start = from;
      fitting[kept++].end = to;
      at = to;
    }
    if (at < s.end) sys(nr_munmap, at, s.end - at);
  }
  staged = {fitting, kept, 0, 0};
}

// The parts of a mapping that are not there yet; `from`: where in the stage to look.
i64 map_rest(const Mapping &m, const Staged &staged, u64 &from) {
  u64 at = m.start;
  while (from < staged.count && staged.list[from].end <= at) ++from;
  for (u64 i = from; i < staged.count && staged.list[i].start < m.end; ++i) {
    if (staged.list[i].start > at)
      if (i64 error = map(at, staged.list[i].start, m)) return error;
    at = staged.list[i].end;
  }
  return at < m.end ? map(at, m.end, m) : 0;
}

// One slot as the other side has it. Of those without a thread only that this one stands on counts: its number is the process's.
void receive_slot(Slot *slot, int source, u32 index) {
  Control &c = control();
  RecordHeader header{};
  check(slot, receive_record(source, header, kPatience));
  if (header.type != Record::slot || header.count != index || header.length < sizeof(Slot) || header.length > sizeof(Slot) + kFrameSize) refuse(slot, -EPROTO_);
  Slot *s = slot_at(index);
  if (s != slot && !map_slot(index)) refuse(slot, -ENOMEM_);
  int channel = s == slot ? slot->channel : -1;
  check(slot, receive_all(source, s, sizeof *s));
  bool lives = s->state == u32(SlotState::used);
  s->index = index;
  s->channel = channel;
  s->process = &c.process;
  s->interrupt = 0;
  s->busy = 0;
  s->signal_waits = 0;
  s->stepping = 0;
  s->in_hand = 0;
  s->recall = 0;
  s->windows_waiting = s->drops = s->serving = 0;
  s->cpu_base += s->cpu_here;
  s->cpu_here = 0;
  for (int i = 0; i < 2; ++i) s->earlier[i] += s->here[i], s->here[i] = 0;
  if (s == slot && !lives) s->tid = c.pid;
  if (s->frame_length != header.length - sizeof *s) refuse(slot, -EPROTO_);
  if (!lives) {
    if (s->frame_length) refuse(slot, -EPROTO_);
    s->state = u32(s == slot ? SlotState::dying : SlotState::free);
    return;
  }
  check(slot, receive_all(source, saved_frame(s), s->frame_length));
  Context &context = saved_frame(s)->context;
  context.mask = 0;
  context.stack = {address(s) + kStackLow, 0, 0, kSlotSize - kStackLow};
  context.regs.fpstate = address(saved_frame(s)) + kXstateInFrame;
}

void receive_state(Slot *slot, int source, const RecordHeader &header) {
  Control &c = control();
  auto *home = pointer<Control>(base() + kListOffset);
  if (header.type != Record::state || header.length != sizeof *home || !header.count || header.count > kMaxSlots) refuse(slot, -EPROTO_);
  check(slot, receive_all(source, home, sizeof *home));
  if (home->magic != kControlMagic || home->base != c.base || home->protocol != kProtocol || home->slots > kMaxSlots) refuse(slot, -EPROTO_);
  copy(c.process.actions, home->process.actions, sizeof c.process.actions);
  c.process.pid = c.pid;
  c.process.event = c.event;
  c.process.threads = home->threads;
  c.threads = home->threads;
  c.slots = home->slots;
  c.vdso_start = home->vdso_start;
  c.vdso_end = home->vdso_end;
  c.process_cpu_base = home->process_cpu_base;
  copy(c.earlier, home->earlier, sizeof c.earlier);
  c.mm = home->mm;
  c.space_limit = home->space_limit;
  c.data_limit = home->data_limit;
  c.advised = home->advised;
  c.packs = home->packs;
  c.awake = home->awake;
  c.locked = home->locked;
  c.behind = home->behind;
  c.unsure = home->unsure;
  copy(c.own_files, home->own_files, sizeof c.own_files);
  copy(c.files, home->files, sizeof c.files);
  c.files_known = minimum(home->files_known, kFilesKnown);
  c.frozen_at = home->frozen_at;
  c.realtime_at = home->realtime_at;
  u32 living = 0;
  for (u32 i = 0; i < c.slots; ++i) {
    receive_slot(slot, source, i);
    living += slot_at(i)->state == u32(SlotState::used);
  }
  if (slot->index >= c.slots || slot->tid != c.pid || living != c.threads || !living) refuse(slot, -EINVAL_);
}

// A gap among what is to be mapped, for a moment.
u64 find_gap(const Mapping *book, u64 count, u64 size) {
  constexpr u64 lowest = 1ull << 32;
  u64 at = lowest;
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = book[i];
    if (m.kind == Kind::other || m.end <= at) continue;
    if (at < base() + kRegionSize && at + size > base()) at = base() + kRegionSize;
    if (m.start >= at + size) break;
    at = maximum(at, m.end);
  }
  if (at < base() + kRegionSize && at + size > base()) at = base() + kRegionSize;
  return at + size < 1ull << 47 ? at : 0;
}

// All mappings of the object that book[i] is the first of: parts of one piece of shared memory. mremap(2) of length 0 shows it once more.
i64 map_aliases(Mapping *book, u64 count, u64 i) {
  u64 low = book[i].at, high = low;
  for (u64 j = i; j < count; ++j)
    if (book[j].kind == Kind::shared_anon && book[j].object == book[i].object) {
      low = minimum<u64>(low, book[j].at);
      high = maximum<u64>(high, book[j].at + (book[j].end - book[j].start) / kPage);
    }
  u64 size = (high - low) * kPage, whole = find_gap(book, count, size);
  if (!whole) return -ENOMEM_;
  i64 at = sys(nr_mmap, whole, size, prot_read | prot_write, map_shared | map_anonymous | map_fixed_noreplace | map_noreserve, u64(-1), 0);
  if (at != i64(whole)) return failed(at) ? at : -EEXIST_;
  for (u64 j = i; j < count; ++j) {
    Mapping &m = book[j];
    if (m.kind != Kind::shared_anon || m.object != book[i].object) continue;
    i64 shown = sys(nr_mremap, whole + (m.at - low) * kPage, 0, m.end - m.start, 3, m.start);   // MAYMOVE | FIXED
    if (shown != i64(m.start)) return failed(shown) ? shown : -EEXIST_;
    m.flags |= kAlias;
  }
  return sys(nr_munmap, whole, size);
}

bool has_alias(const Mapping *book, u64 count, u64 i) {
  for (u64 j = 0; j < count && book[i].object; ++j)
    if (j != i && shows_the_same(book[i], book[j])) return true;
  return false;
}

bool fetched_later(const Mapping &m) { return m.flags & kLazy; }

void receive_memory(Slot *slot, int source, Staged &staged, Sent &got) {
  Control &c = control();
  RecordHeader header{};
  auto *book = pointer<Mapping>(base() + kBookOffset);
  check(slot, receive_record(source, header, kPatience));
  if (header.type != Record::mappings || header.count > kBookMax || header.length != header.count * sizeof(Mapping)) refuse(slot, -EPROTO_);
  check(slot, receive_all(source, book, header.length));
  u64 count = header.count;
  if (!possible_mappings(book, count)) refuse(slot, -EPROTO_);
  bool has_vdso = !c.vdso_start;
  for (u64 i = 0; i < count; ++i) has_vdso |= book[i].kind == Kind::vdso && book[i].start == c.vdso_start && book[i].end == c.vdso_end;
  if (!has_vdso) refuse(slot, -EPROTO_);                                // its image is read and patched
  for (u64 i = 0; i < count; ++i) book[i].flags &= uint16_t(~kAlias);
  fit_stage(slot, staged, book, count);
  u64 from = 0;
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = book[i];
    if (m.kind == Kind::other || m.flags & kAlias) continue;
    if (m.kind == Kind::shared_anon && has_alias(book, count, i)) {
      check(slot, map_aliases(book, count, i));
      continue;
    }
    check(slot, i && fails(Fault::arrive_no_memory) ? -ENOMEM_ : map_rest(m, staged, from));
  }
  for (;;) {
    check(slot, receive_record(source, header, kPatience));
    if (header.type == Record::end) break;
    if (header.type != Record::pages) refuse(slot, -EPROTO_);
    check(slot, receive_pages(source, header, buffer(slot), &staged));
    count_pages(header, got);
  }
  settle_rest(staged);
  follow_advice(book, count, false);
  // The book keeps what lies at home; all else is the guest's own.
  u64 kept = 0;
  for (u64 i = 0; i < count; ++i) {
    Mapping m = book[i];
    if (m.kind == Kind::other) continue;
    if (fetched_later(m)) check(slot, watch_missing(m));
    if (is_left(m)) c.has_left = 1;
    if (m.prot != (prot_read | prot_write)) sys(nr_mprotect, m.start, m.end - m.start, m.prot);
    if ((m.kind != Kind::anon && m.kind != Kind::stack) || is_left(m)) book[kept++] = m;
  }
  c.book_entries = kept;
}

i64 collect_channels() {
  Control &c = control();
  u32 wanted = c.event < 0;
  for (u32 i = 0; i < c.slots; ++i) wanted += slot_at(i)->state == u32(SlotState::used) && slot_at(i)->channel < 0;
  while (wanted) {
    PoolMessage message{};
    int fd;
    if (i64 error = receive_fd(c.pool, &message, sizeof message, &fd, kPatience)) return error;
    if (fd < 0) continue;
    if (message.kind == ChannelKind::thread && message.index < c.slots && slot_at(message.index)->state == u32(SlotState::used) &&
        slot_at(message.index)->channel < 0) {
      slot_at(message.index)->channel = fd;
      --wanted;
    } else if (message.kind == ChannelKind::event && c.event < 0) {
      c.event = c.process.event = fd;
      --wanted;
    } else if (message.kind != ChannelKind::spare || !keep_spare({fd, message.index})) {
      sys(nr_close, u64(fd));                                           // a thread that ended before it was stopped
    }
  }
  return 0;
}

void adopt_thread_state(Slot *slot) {
  guest_altstack(slot);
  sys(nr_set_tid_address, slot->tid_address);
  if (slot->robust_list) sys(nr_set_robust_list, slot->robust_list, slot->robust_length);
  if (slot->rseq) sys(nr_rseq, slot->rseq, slot->rseq_length, 0, slot->rseq_signature);
  write_fs(slot->fs_base);
  write_gs(slot->gs_base);
}

void begin_arrived(void *argument) {
  auto *slot = static_cast<Slot *>(argument);
  Control &c = control();
  adopt_thread_state(slot);
  add(&c.arrived, 1);
  futex_wake(&c.arrived);
  while (load(&c.phase) != u32(Phase::away)) futex_wait(&c.phase, load(&c.phase));
  resume_frame(saved_frame(slot));
}

void create_threads(Slot *slot) {
  Control &c = control();
  u32 here = slot->state == u32(SlotState::used);
  for (u32 i = 0; i < c.slots; ++i) {
    Slot *s = slot_at(i);
    if (s == slot || s->state != u32(SlotState::used)) continue;
    CloneArgs args{};
    i64 tid = s->tid;
    args.flags = 0x50f00;                                               // VM FS FILES SIGHAND THREAD SYSVSEM
    args.stack = address(s) + kStackLow;
    args.stack_size = kStackTop - kStackLow;
    int numbers[1] = {int(tid)};
    args.set_tid = address(numbers);
    args.set_tid_size = 1;
    i64 made = clone_with_stack(nr_clone3, address(&args), sizeof args, 0, begin_arrived, s);
    check(slot, made);
    if (made != tid) refuse(slot, -EEXIST_);
  }
  i64 until = now() + kPatience * 1000000;
  for (u32 seen; (seen = load(&c.arrived)) + here < c.threads; futex_wait(&c.arrived, seen, 20000000))
    if (now() > until) refuse(slot, -ETIMEDOUT_);
}

}  // namespace

// The event channel raises the control signal, also when it breaks, so that a guest that only computes notices.
void own_events(int event, int pid) {
  sys(nr_fcntl, u64(event), 8, u64(pid));                               // F_SETOWN
  sys(nr_fcntl, u64(event), 10, kControlSignal);                        // F_SETSIG
  sys(nr_fcntl, u64(event), 4, 0x2000);                                 // F_SETFL, O_ASYNC
}

i64 watch_missing(const Mapping &m) {
  Control &c = control();
  if (c.uffd < 0) return -ENOSYS_;
  struct { u64 start, length, mode, ioctls; } range{m.start, m.end - m.start, 1, 0};   // UFFDIO_REGISTER_MODE_MISSING
  return sys(nr_ioctl, u64(c.uffd), 0xc020aa00, address(&range));
}

// The offsets are lower bounds: what the program last saw at home is waited for.
static void await_home_time(const Control &c) {
  for (i64 i = 0; i < 200 && (now() < i64(c.frozen_at) || now(clock_realtime) + c.realtime_offset < i64(c.realtime_at)); ++i) {
    TimeSpec t{0, 200000};
    sys(nr_nanosleep, address(&t), 0);
  }
}

// The program's first thread has ended: so does this one, which has built the rest, and is a zombie here as there. It took no signal.
[[noreturn]] static void step_aside(Slot *slot) {
  Control &c = control();
  sys(nr_close, u64(slot->channel));
  slot->channel = -1;
  int other = 0;
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->state == u32(SlotState::used)) other = slot_at(i)->tid;
  sys(nr_tgkill, u64(c.pid), u64(other), kControlSignal);               // a message may have come, as below
  store(&c.phase, u32(Phase::away));
  futex_wake(&c.phase);
  for (;;) sys(nr_exit, 0);
}

extern "C" [[noreturn]] void arrive() {
  Slot *slot = this_slot();
  Control &c = control();
  c.phase = u32(Phase::leaving);
  c.keeper = c.pool;
  u64 vdso = clear_husk(slot);
  int source = c.memory < 0 ? slot->channel : c.memory;
  set_timeout(source, kPatience, false);
  Sent got{};
  Staged staged = stage();
  RecordHeader header{};
  receive_ahead(slot, source, header, staged, got);
  receive_state(slot, source, header);
  bool lives = slot->state == u32(SlotState::used);
  receive_memory(slot, source, staged, got);
  set_timeout(source, 0, false);
  if (c.memory >= 0) sys(nr_close, u64(c.memory)), c.memory = -1;
  patch_vdso(c.vdso_start, vdso);
  c.mm.exe_fd = u32(-1);
  c.mm.auxv = 0;
  c.mm.auxv_size = 0;
  check(slot, sys(nr_prctl, 35, 14, address(&c.mm), sizeof c.mm, 0));   // PR_SET_MM, PR_SET_MM_MAP
  check(slot, collect_channels());
  if (fails(Fault::arrive_dies)) guest_dies(Ending::disconnected);
  install_guest_handlers();
  if (fails(Fault::arrive_no_thread)) refuse(slot, -EAGAIN_);
  create_threads(slot);
  if (lives) adopt_thread_state(slot);
  if (fails(Fault::arrive_silent)) wait_readable(slot->channel, -1);
  check(slot, send_record(slot->channel, Record::ready, 0, &got, sizeof got));
  RecordHeader go{};
  if (receive_record(slot->channel, go, kPatience) || go.type != Record::go) guest_dies(Ending::disconnected);
  if (fails(Fault::arrive_dies_at_go)) guest_dies(Ending::disconnected);
  if (fails(Fault::arrive_not_running)) wait_readable(slot->channel, -1);
  own_events(c.event, c.pid);
  await_home_time(c);
  keep_rate();
  hold_limits(c.slots);
  if (send_record(slot->channel, Record::running, 0, nullptr, 0)) guest_dies(Ending::disconnected);
  if (!lives) step_aside(slot);
  store(&c.phase, u32(Phase::away));
  futex_wake(&c.phase);
  // A message may have come before the channel could raise a signal.
  sys(nr_tgkill, u64(c.pid), u64(slot->tid), kControlSignal);
  resume_frame(saved_frame(slot));
}

}  // namespace mosrun
