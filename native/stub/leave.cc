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

int keep_descriptor(int fd) {
  Control &c = control();
  RLimit limit{};
  sys(nr_prlimit64, 0, 7, 0, address(&limit));                          // RLIMIT_NOFILE
  RLimit wide = limit;
  if (!c.window) c.window = int(limit.hard > limit.soft ? limit.soft : limit.soft - minimum<u64>(limit.soft / 2, 512));
  wide.soft = minimum<u64>(limit.hard, maximum<u64>(limit.soft, u64(c.window) + 4 * kMaxSlots));
  if (wide.soft != limit.soft) sys(nr_prlimit64, 0, 7, address(&wide), 0);
  i64 kept = sys(nr_fcntl, u64(fd), 1030, u64(c.window));               // F_DUPFD_CLOEXEC
  if (wide.soft != limit.soft) sys(nr_prlimit64, 0, 7, address(&limit), 0);
  sys(nr_close, u64(fd));
  if (kept >= c.window_end) c.window_end = int(kept) + 1;
  return int(kept);
}

namespace {

// Descriptors come from the mover, so that the program's network namespace, root and filters play no part.
i64 receive_descriptors(Control &c, int socket) {
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
      case Role::proc: c.proc = fd; break;
      case Role::event: c.event = fd; break;
      case Role::thread: if (handover.index >= c.slots) return -EPROTO_; slot_at(handover.index)->channel = fd; break;
      case Role::spare:
        for (Spare &s : c.spares)
          if (s.fd < 0) { s = {fd, handover.index}; break; }
        break;
      default: return -EPROTO_;
    }
    last = handover.last;
  }
  return 0;
}

i64 wait_for_threads(Control &c) {
  i64 until = now() + 2000000000;
  for (u32 seen; (seen = load(&c.arrived)) + 1 < c.threads; futex_wait(&c.arrived, seen, 20000000))
    if (now() > until) return -ETIMEDOUT_;
  return 0;
}

// Of this thread, not of the process: a first thread that has ended has no memory (proc(5)).
int open_proc(Control &c, const char *name) { return int(sys(257, u64(c.proc), reinterpret_cast<u64>(name), 0x80000)); }   // openat, O_CLOEXEC

i64 send_memory(Control &c, int channel, Mapping *book, u64 count, Sent &sent) {
  uint8_t *scratch = buffer(this_slot());
  int pagemap = open_proc(c, "thread-self/pagemap");
  if (pagemap < 0) return pagemap;
  i64 error = send_record(channel, Record::mappings, u32(count), book, count * sizeof(Mapping));
  sent.bytes += count * sizeof(Mapping);
  for (u64 i = 0; i < count && !error; ++i) {
    Mapping &m = book[i];
    if (m.kind == Kind::other) continue;
    bool files = m.kind == Kind::vdso || m.kind == Kind::shared_anon || m.kind == Kind::anon || m.kind == Kind::stack || (m.flags & kEager);
    for (u64 at = m.start; m.kind == Kind::vdso && at < m.end; at += kPage) touch_read(at);   // its pages are mapped when touched
    bool hidden = !(m.prot & prot_read);                               // sendmsg obeys the protection
    if (hidden) sys(nr_mprotect, m.start, m.end - m.start, prot_read);
    error = sent.pages && fails(Fault::leave_cut_at_pages) ? -EPIPE_ : send_pages(channel, pagemap, m.start, m.end, files, scratch, sent);
    if (hidden) sys(nr_mprotect, m.start, m.end - m.start, m.prot);
  }
  sys(nr_close, u64(pagemap));
  if (!error && !fails(Fault::leave_silent)) error = send_record(channel, Record::end, 0, nullptr, 0);
  return error;
}

i64 send_state(Control &c, int channel) {
  // The token stays at home: a guest opens no channels.
  auto *shown = reinterpret_cast<Control *>(buffer(this_slot()));
  copy(shown, &c, sizeof c);
  zero(shown->token, sizeof shown->token);
  i64 error = send_record(channel, Record::state, c.threads, shown, sizeof *shown);
  for (u32 i = 0; i < c.slots && !error; ++i) {
    Slot *slot = slot_at(i);
    RecordHeader header{Record::slot, i, sizeof *slot + slot->frame_length};
    IoVec iov[3] = {{address(&header), sizeof header}, {address(slot), sizeof *slot}, {address(saved_frame(slot)), slot->frame_length}};
    error = send_all(channel, iov, 3);
  }
  return error;
}

void report(int socket, Report type, i64 error, const Sent &sent) {
  ReportMessage message{type, int32_t(error), sent.bytes, sent.pages, u64(now())};
  sys(nr_sendto, u64(socket), address(&message), sizeof message, msg_nosignal | msg_dontwait);
}

i64 await_record(int channel, Record type, i64 timeout_ms) {
  RecordHeader header{};
  if (i64 error = receive_record(channel, header, timeout_ms)) return error;
  if (header.type == Record::fail) return -i64(header.count ? header.count : u32(EPROTO_));
  return header.type == type && !header.length ? 0 : -EPROTO_;
}

i64 negotiate(Control &c, int socket, Sent &sent) {
  if (i64 error = receive_descriptors(c, socket)) return error;
  if (i64 error = wait_for_threads(c)) return error;
  sys(nr_mprotect, base(), kCodeSize, prot_read | prot_exec);
  sys(nr_mprotect, base() + kCodeSize, kSlotsOffset - kCodeSize, prot_read | prot_write);
  for (int s = 1; s <= kSignals; ++s) sys(nr_rt_sigaction, u64(s), 0, address(&c.process.actions[s - 1]), 8);
  auto *book = pointer<Mapping>(base() + kBookOffset);
  int maps = open_proc(c, "thread-self/maps");
  if (maps < 0) return maps;
  u64 count = read_mappings(maps, book, kBookMax);
  sys(nr_close, u64(maps));
  if (!count) return -ENOMEM_;
  for (u64 i = 0; i < count; ++i) {
    Mapping &m = book[i];
    if (m.kind == Kind::file_private || m.kind == Kind::file_shared) m.flags |= eager_file_pages(m) ? kEager | kLazy : kLazy;
    if (m.kind == Kind::file_private && (m.prot & prot_write)) m.flags |= kWritten;
    if (m.kind == Kind::vdso) c.vdso_start = m.start, c.vdso_end = m.end;
  }
  c.book_entries = count;
  c.mm.brk = u64(sys(nr_brk, 0));
  int channel = slot_at(0)->channel;
  i64 patience = c.timeout_ms;
  set_timeout(channel, patience, true);
  set_timeout(channel, patience, false);
  i64 error = fails(Fault::leave_cut_at_state) ? -EPIPE_ : send_state(c, channel);
  if (!error) error = send_memory(c, channel, book, count, sent);
  if (error) {
    // The other side may have said why it takes no more.
    RecordHeader word{};
    return !receive_record(channel, word, 100) && word.type == Record::fail && word.count ? -i64(word.count) : error;
  }
  report(socket, Report::sent, 0, sent);
  if ((error = await_record(channel, Record::ready, patience))) return error;
  report(socket, Report::ready, 0, sent);
  if ((error = fails(Fault::leave_cut_at_go) ? -EPIPE_ : send_record(channel, Record::go, 0, nullptr, 0))) return error;
  // From here to `running` the guest may run, but cannot have had an effect: its only way out is this process, which has served it nothing.
  if ((error = await_record(channel, Record::running, patience))) return error;
  if (fails(Fault::leave_running_lost)) return -ETIMEDOUT_;
  set_timeout(channel, 0, true);
  set_timeout(channel, 0, false);
  return 0;
}

void give_up(Control &c, i64 error) {
  store(&c.failed, u32(-error));
  if (c.event >= 0) sys(nr_close, u64(c.event));
  if (c.proc >= 0) sys(nr_close, u64(c.proc));
  for (Spare &s : c.spares)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->channel >= 0) sys(nr_close, u64(slot_at(i)->channel)), slot_at(i)->channel = -1;
  c.event = c.proc = -1;
}

[[noreturn]] void lead(Slot *slot) {
  Control &c = control();
  int pair[2] = {-1, -1};
  Sent sent{};
  i64 error = sys(nr_socketpair, 1, 5 | 0x80000, 0, address(pair));     // AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC
  if (!error) {
    pair[0] = keep_descriptor(pair[0]);
    c.mover_peer = pair[1];
    store(reinterpret_cast<volatile u32 *>(&c.mover), u32(pair[0]));
    error = negotiate(c, pair[0], sent);
  }
  if (error) {
    give_up(c, error);
    report(pair[0], Report::failed, -error, sent);
  } else {
    c.statistics.migrations++;
    c.statistics.freeze_ns = u64(now()) - c.frozen_at;
    c.statistics.moved_bytes = sent.bytes;
    c.statistics.moved_pages = sent.pages;
    c.parked = 0;
    c.drop_next = 0;
    Slot *first = slot_at(0);
    if (first->state == u32(SlotState::dying)) sys(nr_close, u64(first->channel)), first->channel = -1;   // only the move needed it
    install_home_handlers();
    report(pair[0], Report::running, 0, sent);
  }
  if (c.mover_peer >= 0) sys(nr_close, u64(c.mover_peer));
  if (pair[0] >= 0) sys(nr_close, u64(pair[0]));
  c.mover = -1;
  store(&c.phase, u32(error ? Phase::home : Phase::away));
  futex_wake(&c.phase);
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
void drop_pages(Kind kind, u64 start, u64 size) {
  if (kind == Kind::shared_anon) sys(nr_madvise, start, size, 9);                                  // MADV_REMOVE
  else if (sys(nr_madvise, start, size, 4) == -EINVAL_) sys(nr_madvise, start, size, 24);          // MADV_DONTNEED, _LOCKED (5.18)
}

// Gives back the memory that now lives elsewhere, but keeps the mappings: a return then applies a difference. Private copies of pages in
// mappings that are read-only stay (relocated tables of libraries: small, and the guest's copy of them cannot change). In portions, since
// unmapping 512 MiB takes 50 ms and the guest waits for its first answer.
void drop_skeleton(u64 budget) {
  Control &c = control();
  auto *book = pointer<Mapping>(base() + kBookOffset);
  while (c.drop_next < c.book_entries && budget) {
    Mapping &m = book[c.drop_next];
    u64 part = minimum(m.end - m.start, budget);
    bool ours = m.kind == Kind::anon || m.kind == Kind::stack || (m.kind == Kind::file_private && (m.prot & prot_write));
    if (ours || m.kind == Kind::shared_anon) drop_pages(m.kind, m.start, part);
    m.start += part;
    budget -= part;
    if (m.start == m.end) ++c.drop_next;
  }
}

namespace {

// A call with a time-out that was let go is issued again with what is left. Where the time stands in memory, the register points into the slot until
// the kernel has read it; a mover that comes later puts the program's own value back.
void continue_waiting(Slot *slot) {
  Registers &r = saved_frame(slot)->context.regs;
  i64 deadline = i64(slot->deadline);
  slot->deadline_argument = 0;
  if (!deadline || slot->deadline_ip != r.ip + 2) return;
  i64 rest = maximum<i64>(0, deadline - now());
  auto point = [&](u64 number, u64 &value, i64 unit) {
    if (!value) return;
    slot->scratch[0] = u64(rest / 1000000000);
    slot->scratch[1] = u64(rest % 1000000000 / unit);
    slot->deadline_argument = number;
    slot->deadline_value = value;
    value = address(slot->scratch);
  };
  switch (r.ax) {
    case 7: r.dx = u64((rest + 999999) / 1000000); break;                // poll
    case 232: case 281: r.r10 = u64((rest + 999999) / 1000000); break;   // epoll_wait, epoll_pwait
    case 35: point(1, r.di, 1); break;                                   // nanosleep
    case 230: if (!(r.si & 1)) point(3, r.dx, 1); break;                 // clock_nanosleep, if not until a point in time
    case 271: case 128: point(3, r.dx, 1); break;                        // ppoll, rt_sigtimedwait
    case 202: if (!(r.si & 0x7f)) point(4, r.r10, 1); break;             // futex: FUTEX_WAIT alone is relative
    case 220: case 441: point(4, r.r10, 1); break;                       // semtimedop, epoll_pwait2
    case 270: point(5, r.r8, 1); break;                                  // pselect6
    case 23: point(5, r.r8, 1000); break;                                // select
    default: break;
  }
}

}  // namespace

// Back to the program. Nothing of the stub is in use afterwards but the frame, until the kernel has loaded it.
[[noreturn]] void leave_stub(Slot *slot) {
  Control &c = control();
  Frame *frame = saved_frame(slot);
  u64 waiting = 0;
  if (slot->in_hand) {                                                  // caught but not delivered: pending again
    sys(nr_rt_tgsigqueueinfo, u64(c.pid), u64(slot->tid), slot->in_hand, address(slot->info));
    slot->in_hand = 0;
  }
  if (slot->fatal) sys(nr_rt_tgsigqueueinfo, u64(c.pid), u64(slot->tid), slot->fatal, address(slot->fatal_info));
  sys(nr_set_tid_address, slot->tid_address);
  sys(nr_set_robust_list, slot->robust_list, slot->robust_length ? slot->robust_length : 24);
  if (read_fs() != slot->fs_base) write_fs(slot->fs_base);
  if (read_gs() != slot->gs_base) write_gs(slot->gs_base);
  if (slot->rseq) sys(nr_rseq, slot->rseq, slot->rseq_length, 0, slot->rseq_signature);
  frame->context.stack = slot->altstack;
  frame->context.stack.flags = slot->altstack.size ? slot->altstack.flags & ~1 : 2;   // SS_ONSTACK is told, not set; none: SS_DISABLE
  frame->context.mask = slot->mask;
  // A handler that will run before the call is issued again ends it, if it is of that kind.
  sys(127, address(&waiting), 8);                                       // rt_sigpending
  for (int s = 1; s <= kSignals && slot->begun_ip; ++s)
    if ((waiting & ~slot->mask & bit(s)) && c.process.actions[s - 1].handler > 1) end_begun_call(slot, frame->context.regs, c.process.actions[s - 1].flags);
  continue_waiting(slot);
  resume_home(frame, &c.inside);
}

}  // namespace mosrun
