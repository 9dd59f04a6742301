// Home: a process leaves.
//
// The mover has stopped every thread, mapped this code, written each thread's registers as a signal frame into its slot and let the threads go
// on here. From now on the process heals itself: whatever fails before the guest's first message, each thread resumes from its own frame.
//
//   mover            leader                         guest
//     descriptors ──▶ │
//                     │── state, slots, mappings, pages, end ──▶ │ builds itself
//                     │◀───────────────────────────── ready ──── │
//                     │── go ──────────────────────────────────▶ │
//                     │◀──────────────────────────── running ─── │ runs
//     ◀── running ─── │ commit: becomes the deputy
#include <initializer_list>

#include "stub.h"

namespace mosrun {

namespace {

constexpr i64 kMoverPatience = 3000;   // ms; a mover that died leaves no end of file, since both ends are still ours

// What the kernel would write into the program's memory on its own, or do to this thread by it, stops here; home() puts it back.
void detach_from_memory(Slot *slot) {
  sys(nr_sigaltstack, 0, address(&slot->altstack));
  sys(nr_prctl, 40, address(&slot->tid_address));                      // PR_GET_TID_ADDRESS
  slot->fs_base = read_fs();
  slot->gs_base = read_gs();
  if (slot->rseq) sys(nr_rseq, slot->rseq, slot->rseq_length, 1, slot->rseq_signature);   // RSEQ_FLAG_UNREGISTER
  sys(nr_set_robust_list, 0, 24);
  sys(nr_set_tid_address, address(&slot->clear_word));
}

}  // namespace

WideLimit::WideLimit() {
  Control &c = control();
  sys(nr_prlimit64, 0, 7, 0, address(&was));                            // RLIMIT_NOFILE
  RLimit wide = was;
  if (!c.window || u64(c.window) >= was.hard) c.window = int(was.hard > was.soft ? maximum(was.soft, minimum<u64>(was.hard / 2, 1024)) : was.soft - minimum<u64>(was.soft / 2, 512));
  wide.soft = minimum<u64>(was.hard, maximum<u64>(was.soft, u64(c.window) + 4 * kMaxSlots));
  changed = wide.soft != was.soft;
  widened = wide.soft;
  if (changed) sys(nr_prlimit64, 0, 7, address(&wide), 0);
}

WideLimit::~WideLimit() {
  if (changed && is_limited_to(7, widened)) sys(nr_prlimit64, 0, 7, address(&was), 0);
}

int keep_descriptor(int fd) {
  Control &c = control();
  WideLimit wide;
  i64 kept = sys(nr_fcntl, u64(fd), 1030, u64(c.window));               // F_DUPFD_CLOEXEC
  if (kept == -EINVAL_ || kept == -EMFILE_) {                           // the program has lowered its limit meanwhile: the window grows down
    u64 low = wide.was.hard - minimum<u64>(wide.was.hard / 2, 512);
    if (low < u64(c.window)) c.window = int(low), kept = sys(nr_fcntl, u64(fd), 1030, low);
  }
  sys(nr_close, u64(fd));
  if (kept >= c.window_end) c.window_end = int(kept) + 1;
  return int(kept);
}

static void put(int &place, int fd) {
  if (place >= 0) sys(nr_close, u64(place));
  place = fd;
}

// Descriptors come from the mover, so that the program's network namespace, root and filters play no part. `on`: for the next stay.
i64 receive_descriptors(int socket, bool on) {
  Control &c = control();
  WideLimit wide;
  for (u32 last = 0; !last;) {
    Handover handover{};
    int fd;
    i64 error = receive_fd(socket, &handover, sizeof handover, &fd, kMoverPatience);
    if (c.mover_peer >= 0) sys(nr_close, u64(c.mover_peer)), c.mover_peer = -1;
    if (error) return error;
    if (fd < 0) return -EPROTO_;
    fd = fails(Fault::leave_descriptors) ? -EMFILE_ : keep_descriptor(fd);
    if (fd < 0) return fd;
    switch (handover.role) {
      case Role::proc: put(c.proc, fd); break;
      case Role::maps: put(c.maps, fd); break;
      case Role::pagemap: put(c.pagemap, fd); break;                     // of the first move alone
      case Role::event: put(on ? c.next.event : c.event, fd); break;
      case Role::thread: {
        if (handover.index >= c.slots) return -EPROTO_;
        Slot *slot = slot_at(handover.index);
        put(on ? slot->next_channel : slot->channel, fd);
        break;
      }
      case Role::spare: {
        Spare *free = nullptr;
        for (Spare &s : on ? c.next.spares : c.spares)
          if (!free && s.fd < 0) free = &s;
        if (free) *free = {fd, handover.index};
        else sys(nr_close, u64(fd));
        break;
      }
      case Role::file:
        if (!keep_mapped_file(fd, handover.start, handover.end)) return -EPROTO_;
        break;
      default: return -EPROTO_;
    }
    last = handover.last;
  }
  return 0;
}

namespace {

i64 wait_for_threads(Control &c) {
  i64 until = now() + 2000000000;
  for (u32 seen; (seen = load(&c.arrived)) + 1 < c.threads; futex_wait(&c.arrived, seen, 20000000))
    if (now() > until) return -ETIMEDOUT_;
  return 0;
}

i64 send_memory(Control &c, int channel, Mapping *book, u64 count, Sent &sent) {
  uint8_t *scratch = buffer(this_slot());
  i64 error = send_record(channel, Record::mappings, u32(count), book, count * sizeof(Mapping));
  sent.bytes += count * sizeof(Mapping);
  for (u64 i = 0; i < count && !error; ++i) {
    Mapping &m = book[i];
    if (m.kind == Kind::other || shown_before(book, i)) continue;
    bool files = m.kind == Kind::vdso || m.kind == Kind::anon || m.kind == Kind::stack || (m.flags & kEager);
    for (u64 at = m.start; m.kind == Kind::vdso && at < m.end; at += kPage) touch_read(at);   // its pages are mapped when touched
    if (is_left(m)) {
      error = send_hot(channel, c.pagemap, m, scratch, sent);
      continue;
    }
    bool hidden = !(m.prot & prot_read);                               // sendmsg obeys the protection
    if (hidden) sys(nr_mprotect, m.start, m.end - m.start, prot_read);
    if (sent.pages && fails(Fault::leave_cut_at_pages)) error = -EPIPE_;
    else if (m.kind == Kind::shared_anon) error = send_cached_pages(channel, m.start, m.end, scratch, sent);
    else if (c.live && can_be_staged(m)) error = send_changes(channel, c.pagemap, m.start, m.end, scratch, sent);
    else error = send_pages(channel, c.pagemap, m.start, m.end, files, scratch, sent);
    if (hidden) sys(nr_mprotect, m.start, m.end - m.start, m.prot);
  }
  put(c.pagemap, -1);
  if (!error && !fails(Fault::leave_silent)) error = send_record(channel, Record::end, 0, nullptr, 0);
  return error;
}

}  // namespace

void report(int socket, Report type, i64 error, const Sent &sent) {
  ReportMessage message{type, int32_t(error), sent, u64(now())};
  sys(nr_sendto, u64(socket), address(&message), sizeof message, msg_nosignal | msg_dontwait);
}

i64 await_ready(int channel, Sent &got, i64 timeout_ms) {
  RecordHeader header{};
  do
    if (i64 error = receive_record(channel, header, timeout_ms)) return error;
  while (header.type == Record::ahead && !header.length);                // of a mover that did not wait for it
  if (header.type == Record::fail) return -i64(header.count ? header.count : u32(EPROTO_));
  return header.type == Record::ready && header.length == sizeof got ? receive_all(channel, &got, sizeof got) : -EPROTO_;
}

// From here to `running` the guest may run, but cannot have had an effect: its only way out is this process, which has served it nothing.
i64 let_run(int channel, i64 timeout_ms) {
  RecordHeader running{};
  if (i64 error = fails(Fault::leave_cut_at_go) ? -EPIPE_ : send_record(channel, Record::go, 0, nullptr, 0)) return error;
  if (i64 error = receive_record(channel, running, timeout_ms)) return error;
  if (running.type != Record::running || running.length) return -EPROTO_;
  return fails(Fault::leave_running_lost) ? -ETIMEDOUT_ : 0;
}

namespace {

// A timer of setitimer(2) by the time that the program runs (ITIMER_VIRTUAL, ITIMER_PROF): it would not run here any more.
bool counts_processor_time() {
  for (u64 which : {1, 2}) {
    u64 timer[4] = {};
    sys(36, which, address(timer));                                     // getitimer
    if (timer[2] | timer[3]) return true;
  }
  return false;
}

i64 negotiate(Control &c, int socket, Sent &sent) {
  if (i64 error = receive_descriptors(socket, false)) return error;
  if (counts_processor_time()) return -i64(kCountsTime);
  if (i64 error = wait_for_threads(c)) return error;
  sys(nr_mprotect, base(), kCodeSize, prot_read | prot_exec);
  sys(nr_mprotect, base() + kCodeSize, kSlotsOffset + kSlotSize - kCodeSize, prot_read | prot_write);
  for (int s = 1; s <= kSignals; ++s) sys(nr_rt_sigaction, u64(s), 0, address(&c.process.actions[s - 1]), 8);
  auto *book = pointer<Mapping>(base() + kBookOffset);
  c.files_known = 0;
  Files files;
  u64 count = read_mappings(c.maps, book, kBookMax, &files);
  if (!count) return -ENOMEM_;
  if (!possible_mappings(book, count)) return -EINVAL_;   // the mover has looked at them
  c.advised = 0;
  for (u64 i = 0; i < count; ++i) {
    Mapping &m = book[i];
    if ((m.flags & kAdvised) && m.kind != Kind::stack && m.kind != Kind::vdso && m.kind != Kind::other) c.advised = 1;
    if (m.kind == Kind::file_private || m.kind == Kind::file_shared) m.flags |= eager_file_pages(m) ? kEager | kLazy : kLazy;
    if (m.kind == Kind::file_private && (m.prot & prot_write)) m.flags |= kWritten;
    if (m.kind == Kind::vdso) c.vdso_start = m.start, c.vdso_end = m.end;
  }
  if (c.lazy && c.pagemap >= 0) count = leave_behind(book, count);
  c.book_entries = count;
  c.mm.brk = u64(sys(nr_brk, 0));
  c.space_limit = soft_limit(kLimitSpace);
  c.data_limit = soft_limit(kLimitData);
  int channel = slot_at(0)->channel;
  i64 patience = c.timeout_ms;
  set_timeout(channel, patience, true);
  set_timeout(channel, patience, false);
  i64 error = fails(Fault::leave_cut_at_state) ? -EPIPE_ : send_state(channel, c.threads);
  if (!error) error = send_memory(c, channel, book, count, sent);
  if (error) {
    // The other side may have said why it takes no more.
    RecordHeader word{};
    while (!receive_record(channel, word, 100))
      if (word.type != Record::ahead) return word.type == Record::fail && word.count ? -i64(word.count) : error;
    return error;
  }
  report(socket, Report::sent, 0, sent);
  Sent got{};
  if ((error = await_ready(channel, got, patience))) return error;
  report(socket, Report::ready, 0, sent);
  if ((error = let_run(channel, patience))) return error;
  set_timeout(channel, 0, true);
  set_timeout(channel, 0, false);
  return 0;
}

void give_up(Control &c, i64 error) {
  store(&c.failed, u32(-error));
  if (c.event >= 0) sys(nr_close, u64(c.event));
  put(c.proc, -1);
  put(c.maps, -1);
  put(c.pagemap, -1);
  release_mapped_files();
  for (Spare &s : c.spares)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->channel >= 0) sys(nr_close, u64(slot_at(i)->channel)), slot_at(i)->channel = -1;
  c.event = -1;
}

}  // namespace

i64 meet_mover(int &socket) {
  Control &c = control();
  int pair[2];
  socket = -1;
  WideLimit wide;
  if (i64 error = sys(nr_socketpair, 1, 5 | 0x80000, 0, address(pair))) return error;   // AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC
  c.mover_peer = pair[1];
  socket = keep_descriptor(pair[0]);
  if (socket < 0) return socket;
  store(reinterpret_cast<volatile u32 *>(&c.mover), u32(socket));
  return 0;
}

void leave_mover(int socket) {
  Control &c = control();
  if (c.mover_peer >= 0) sys(nr_close, u64(c.mover_peer)), c.mover_peer = -1;
  if (socket >= 0) sys(nr_close, u64(socket));
  c.mover = -1;
}

namespace {

[[noreturn]] void lead(Slot *slot) {
  Control &c = control();
  int socket;
  Sent sent{c.staged_bytes, c.staged_pages, c.staged_saved};
  i64 error;
  {
    WideLimit wide;
    error = meet_mover(socket);
    if (!error) error = negotiate(c, socket, sent);
  }
  if (error) {
    give_up(c, error);
    report(socket, Report::failed, -error, sent);
  } else {
    c.statistics.migrations++;
    c.statistics.freeze_ns = u64(now()) - c.frozen_at;
    c.statistics.moved_bytes = sent.bytes;
    c.statistics.moved_pages = sent.pages;
    c.statistics.moved_saved = sent.saved;
    c.parked = 0;
    c.drop_next = 0;
    Slot *first = slot_at(0);
    if (first->state == u32(SlotState::dying)) sys(nr_close, u64(first->channel)), first->channel = -1;   // only the move needed it
    install_home_handlers();
  }
  // Told once it is true: who hears of it may look, or order the next move, at once.
  leave_mover(-1);
  store(&c.phase, u32(error ? Phase::home : Phase::away));
  futex_wake(&c.phase);
  if (!error) watch_mapped_files(), report(socket, Report::running, 0, sent);
  if (socket >= 0) sys(nr_close, u64(socket));
  if (error) leave_stub(slot);
  deputy(slot);
}

}  // namespace

extern "C" [[noreturn]] void leave_thread(Slot *) {
  Slot *slot = this_slot();
  Control &c = control();
  detach_from_memory(slot);
  if (slot->leader) lead(slot);
  add(&c.arrived, 1);
  futex_wake(&c.arrived);
  while (load(&c.phase) == u32(Phase::leaving)) futex_wait(&c.phase, u32(Phase::leaving));
  if (load(&c.phase) == u32(Phase::home)) leave_stub(slot);
  deputy(slot);
}

// The pages of a mapping that lives elsewhere; the mapping stays.
void drop_pages(const Mapping &m, u64 start, u64 size) {
  if (m.kind == Kind::shared_anon) {
    if (!failed(sys(nr_madvise, start, size, 9)) || (m.prot & prot_write)) return;                  // MADV_REMOVE, of what may be written
    sys(nr_mprotect, start, size, prot_read | prot_write);
    sys(nr_madvise, start, size, 9);
    sys(nr_mprotect, start, size, m.prot);
    return;
  }
  if (sys(nr_madvise, start, size, 4) == -EINVAL_) sys(nr_madvise, start, size, 24);          // MADV_DONTNEED, _LOCKED (5.18)
  sys(nr_madvise, start, size, 103);                                    // MADV_GUARD_REMOVE (6.13): those outlive the former
}

// The kernel has it when it needs it. Of what is not the process's alone it leaves all as it is.
static bool keep_pages(u64 start, u64 size) {
  if (sys(nr_madvise, start, size, 8)) return false;                    // MADV_FREE
  sys(nr_madvise, start, size, 103);
  control().kept = 1;
  return true;
}

// Gives back the memory that now lives elsewhere, but keeps the mappings: a return then applies a difference. Private copies of pages in
// mappings that are read-only stay (relocated tables of libraries: small, and the guest's copy of them cannot change). In portions, since
// unmapping 512 MiB takes 50 ms and the guest waits for its first answer.
void drop_skeleton(u64 budget) {
  Control &c = control();
  if (__atomic_exchange_n(&c.dropping, 1u, __ATOMIC_ACQUIRE)) return;    // another does it
  auto *book = pointer<Mapping>(base() + kBookOffset);
  while (c.drop_next < c.book_entries && budget) {
    Mapping &m = book[c.drop_next];
    u64 part = minimum(m.end - m.start, budget);
    if (is_left(m)) {
      ++c.drop_next;
      continue;
    }
    bool ours = m.kind == Kind::anon || m.kind == Kind::stack || (m.kind == Kind::file_private && (m.prot & prot_write));
    const bool kept = c.keeps && m.kind == Kind::anon && keep_pages(m.start, part);
    if (!kept && (ours || m.kind == Kind::shared_anon)) drop_pages(m, m.start, part);
    m.start += part;
    budget -= part;
    if (m.start == m.end) ++c.drop_next;
  }
  store(&c.dropping, 0);
}

}  // namespace mosrun
