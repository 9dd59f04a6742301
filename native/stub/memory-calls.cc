// Guest: calls that change mappings. Plain memory is the guest's own affair and mostly does not even trap. What touches a mapping whose truth lies at
// home (a file's) is done at home too, at the same address, so that home's mappings stay right and a return has only pages to bring.
#include "book.h"
#include "file-cache.h"
#include "pagemap.h"
#include "syscalls.h"

namespace mosrun {

namespace {

bool ours(u64 start, u64 length) {                                      // the stub's region and the clocks
  Control &c = control();
  u64 end = start + length;
  return (start < base() + kRegionSize && end > base()) || (start < c.vdso_end && end > c.vdso_start);
}

Mapping *find_file(u64 start, u64 end) { return find_in_book(start, end, is_of_file); }
bool has_file(u64 start, u64 end) {
  Lock lock(&control().lock);
  return find_file(start, end);
}
// What home would have to give up of its shared memory, by whose order it knows it again (home.cc).
bool home_shares(u64 start, u64 end) { return find_in_book(start, end, [](const Mapping &m) { return is_shared(m) && m.object; }); }

i64 unmap(Trap &trap, u64 start, u64 length) {
  Control &c = control();
  if (start % kPage || !length || start + length < start) return -EINVAL_;
  length = align_up(length, kPage);
  if (ours(start, length)) return -EINVAL_;
  Lock lock(&c.lock);
  Change change(start, start + length);
  if (find_file(start, start + length)) {
    if (home_shares(start, start + length)) return go_home_locked(trap, nr_munmap);
    if (i64 error = ask(trap, Op::mirror, nr_munmap, start, length)) return error;
  }
  if (c.book_entries >= kFilesMax) return -ENOMEM_;                       // room for a piece
  const i64 result = sys(nr_munmap, start, length);
  if (!result) forget_mappings(start, start + length);
  return result;
}

struct Args { u64 of[6]; };

bool is_usual(u64 prot, u64 flags) {
  constexpr u64 usual = map_private | map_anonymous | map_fixed | 0x800 | map_noreserve | 0x20000;   // MAP_DENYWRITE, MAP_STACK
  const bool executes = prot & prot_exec, writes = prot & prot_write;
  return !(prot & ~7ull) && !(executes && (writes || flags & map_anonymous)) && !(flags & ~usual);
}

// It cannot fail at home for what there is room for.
bool has_limits(u64 length) {
  constexpr u64 most = 256 << 20;                                         // what is longer could come to what memory there is
  const Control &c = control();
  return length > most || ~c.space_limit || ~c.data_limit || c.book_entries > kFilesMax / 2;
}

// What the only thread maps next over what it has just mapped of a file of the system's is done at home without a wait: it cannot fail there.
bool is_of_last(const Trap &trap, u64 start, u64 end, u64 prot, u64 flags) {
  const Control &c = control();
  return is_usual(prot, flags) && c.mapped && c.process.threads == 1 && trap.slot->process == &c.process && start >= c.mapped_start && end <= c.mapped_end && start < end;
}
void remember_last(const Trap &trap, u64 fd, u64 start, u64 end, const FileIdentity &file) {
  Control &c = control();
  if (has_limits(end - start) || c.process.threads != 1 || trap.slot->process != &c.process) return;
  c.mapped = int(u32(fd)) + 1;
  c.mapped_start = start;
  c.mapped_end = end;
  c.mapped_file = file;
}

i64 map_at_home(Trap &trap, const Args &args, FileIdentity &file, bool &again) {
  Request r{};
  r.op = Op::map;
  r.nr = uint16_t(nr_mmap);
  copy(r.args, args.of, sizeof r.args);
  r.out_size = sizeof file;
  IoVec in[1], out[1] = {{address(&file), sizeof file}};
  Reply reply{};
  const i64 result = exchange(trap.slot, r, in, 1, out, 1, reply);
  trap.signal_waits |= reply.flags & kSignalWaits;
  if (reply.out_size != sizeof file) file = {};
  again = reply.flags & kMayMap;
  return result;
}

i64 map_file(Trap &trap, u64 *a) {
  Control &c = control();
  u64 at = a[0], length = align_up(a[1], kPage), prot = a[2], flags = a[3];
  bool shared = (flags & 3) != map_private;
  if (a[5] % kPage) return -EINVAL_;
  if (!a[1]) return ask(trap, Op::map, nr_mmap, 0, 0, prot, flags, a[4], a[5]);   // home knows whether the descriptor is a worse fault
  if (length < a[1]) return -ENOMEM_;
  if (shared && prot & prot_write) return go_home(trap, nr_mmap);
  bool fixed = flags & map_fixed, replace = fixed && !(flags & map_fixed_noreplace);
  if (fixed && (at % kPage || ours(at, length))) return at % kPage ? -EINVAL_ : -ENOMEM_;
  Lock lock(&c.lock);
  Change change(at, at + length);
  if (replace && home_shares(at, at + length)) return go_home_locked(trap, nr_mmap);
  if (!replace) {
    u64 reserve = map_private | map_anonymous | map_noreserve | (flags & (map_fixed | map_fixed_noreplace | 0x40));
    i64 got = sys(nr_mmap, at, length, prot_none, reserve, u64(-1), 0);
    if (failed(got)) return got;
    at = u64(got);
  }
  // Home has at this address either nothing or what the guest has given up.
  FileIdentity file{};
  const Args there{{at, a[1], prot, (flags & ~u64(map_fixed_noreplace | 0x8000 | 0x2000)) | map_fixed, a[4], a[5]}};
  bool again = false;
  i64 result = i64(at);
  if (!fixed && !shared && is_usual(prot, flags) && !has_limits(length) && !(a[5] >> 40) && mapped_at_once(trap.slot, a[4], file) && map_behind(trap.slot, Op::map, there.of)) again = true;
  else if (replace && !shared && is_of_last(trap, at, at + length, prot, flags) && c.mapped == int(u32(a[4])) + 1 && !(a[5] >> 40) && map_behind(trap.slot, Op::map, there.of)) file = c.mapped_file;
  else result = map_at_home(trap, there, file, again);
  if (again && !failed(result)) remember_last(trap, a[4], at, at + length, file);
  if (failed(result)) {
    if (!replace) sys(nr_munmap, at, length);
    if (shared && result == -EBUSY_) return go_home_locked(trap, nr_mmap);        // it is open for writing: what is written must be seen
    return result;
  }
  forget_mappings(at, at + length);
  Mapping m{at, at + length, u32(prot & 7), shared ? Kind::file_shared : Kind::file_private, uint16_t(kLazy | (!shared && prot & prot_write ? kWritten : 0)), 0, 0};
  if (file.number && !shared && a[5] / kPage <= ~0u - length / kPage) m.object = uint16_t(know_file(file)), m.at = u32(a[5] / kPage);
  i64 got = sys(nr_mmap, at, length, prot, map_private | map_anonymous | map_fixed | map_noreserve, u64(-1), 0);
  if (!failed(got)) got = watch_missing(m);
  if (failed(got) || !note_mapping(m)) return go_home_locked(trap, nr_mmap);          // home has mapped it: mapping it again there is the same
  return i64(at);
}

i64 map(Trap &trap, u64 *a) {
  Control &c = control();
  u64 flags = a[3];
  if (!(flags & map_anonymous)) {
    const i64 at = map_file(trap, a);
    // The memory is its parent's, whose home has no such mapping.
    if (at > 0 && trap.slot->process != &c.process) {
      Lock lock(&c.lock);
      bring_lazy(trap.slot, u64(at), u64(at) + align_up(a[1], kPage));
    }
    return at;
  }
  if (flags & 0x40000) return go_home(trap, nr_mmap);                   // MAP_HUGETLB: home's reserve
  bool fixed = flags & map_fixed, shared = (flags & 3) == map_shared;
  u64 length = align_up(a[1], kPage);
  if (fixed && a[0] % kPage) return -EINVAL_;
  if (fixed && ours(a[0], length)) return -ENOMEM_;
  Lock lock(&c.lock);
  Change change(a[0], a[0] + length);
  if (fixed && !(flags & map_fixed_noreplace) && a[1]) {
    if (find_file(a[0], a[0] + length)) {
      if (home_shares(a[0], a[0] + length)) return go_home_locked(trap, nr_mmap);
      const u64 there[6] = {a[0], length, a[2], map_private | map_anonymous | map_fixed | map_noreserve, u64(-1), 0};
      if (!is_of_last(trap, a[0], a[0] + length, a[2], flags) || !map_behind(trap.slot, Op::mirror, there)) {
        i64 error = ask(trap, Op::mirror, nr_mmap, there[0], there[1], there[2], there[3], there[4], there[5]);
        if (failed(error)) return error;
      }
    }
    if (c.book_entries >= kFilesMax) return -ENOMEM_;
  }
  // There is nobody here to share it with: the book keeps what it is.
  if (shared) flags = (flags & ~u64(map_shared)) | map_private;
  i64 at = sys(nr_mmap, a[0], a[1], a[2], flags | (flags & map_growsdown ? 0 : map_noreserve), u64(-1), 0);
  if (!failed(at) && fixed && !(flags & map_fixed_noreplace)) forget_mappings(u64(at), u64(at) + length);
  if (flags & map_growsdown || (flags & 0xf) == map_droppable) c.advised = 1;
  if (!failed(at) && shared) note_mapping({u64(at), u64(at) + length, u32(a[2] & 7), Kind::shared_anon, 0, 0, 0});
  return at;
}

// brk(2): what the heap gives up is not to come from home when it grows again.
i64 set_break(u64 to) {
  Control &c = control();
  Lock lock(&c.lock);
  const u64 old = u64(sys(nr_brk, 0));
  if (!to || to >= old) return sys(nr_brk, to);
  const u64 start = align_up(to, kPage), end = align_up(old, kPage);
  Change change(start, end);
  const i64 now_at = sys(nr_brk, to);
  if (u64(now_at) == to) forget_mappings(start, end);
  return now_at;
}

i64 protect(Trap &trap, u64 *a) {
  Control &c = control();
  u64 end = a[0] + align_up(a[1], kPage);
  if (ours(a[0], end - a[0])) return -13;                               // EACCES
  if (a[2] & prot_write) {
    Lock lock(&c.lock);
    for (u64 i = 0; i < c.book_entries; ++i) {
      Mapping &m = book()[i];
      if (m.start >= end || m.end <= a[0]) continue;
      if (m.kind == Kind::file_shared) return go_home_locked(trap, nr_mprotect);
      if (m.kind == Kind::file_private) m.flags |= kWritten;
    }
  }
  return sys(nr_mprotect, a[0], a[1], a[2]);
}

// Shared memory is private here, unless several mappings show it: what is said of it means what it means at home.
i64 advise_shared(u64 start, u64 end, int advice) {
  constexpr int dontneed = 4, free = 8, remove = 9, wipe_on_fork = 18;
  if (advice == free || advice == wipe_on_fork) return -EINVAL_;
  i64 result = 0;
  for (u64 at = start; at < end;) {
    Mapping *next = nullptr;
    Control &c = control();
    for (u64 i = 0; i < c.book_entries; ++i) {
      Mapping &m = book()[i];
      if (is_shared(m) && m.end > at && m.start < end && (!next || m.start < next->start)) next = &m;
    }
    u64 until = next ? maximum(at, next->start) : end;
    if (i64 error = at < until ? sys(nr_madvise, at, until - at, u64(advice)) : 0) result = error;
    if (!next) break;
    at = minimum(end, next->end);
    bool alias = next->flags & kAlias;
    if (advice == remove && !(next->prot & prot_write)) return -13;     // EACCES
    if (advice == remove && !alias) sys(nr_madvise, until, at - until, u64(dontneed));
    else if (advice != dontneed || alias)
      if (i64 error = sys(nr_madvise, until, at - until, u64(advice))) result = error;
  }
  return result;
}

// The pieces of files in [start, end), in order, until one says no.
template <class Each> i64 each_file(u64 start, u64 end, Each each) {
  Control &c = control();
  for (;;) {
    Mapping *next = nullptr;
    for (u64 i = 0; i < c.book_entries; ++i) {
      Mapping &m = book()[i];
      if (is_of_file(m) && m.end > start && m.start < end && (!next || m.start < next->start)) next = &m;
    }
    if (!next) return 0;
    u64 from = maximum(next->start, start), to = minimum(next->end, end);
    start = next->end;
    if (i64 error = each(from, to)) return error;
  }
}

// Whether a child is to have it: the book of a child born here goes by it (become_child). False: there is no room.
bool mark_inherited(u64 start, u64 end, bool inherited) {
  auto mark = [&](u64 from, u64 to) -> i64 {
    Mapping piece = *find_file(from, to);
    if (!(piece.flags & kDontFork) == inherited) return 0;
    cut_front(piece, from);
    piece.end = to;
    piece.flags ^= kDontFork;
    return forget_mappings(from, to) && note_mapping(piece) ? 0 : -ENOMEM_;
  };
  return !each_file(start, end, mark);
}

// Those that are made here must be found again when the program leaves (PAGEMAP_SCAN, Linux 6.15).
bool tells_guards() {
  Control &c = control();
  PageRegion found[1];
  PageScan scan = scan_present(base(), base() + kPage, found, 1, page_is_zero | page_is_guard, 0);
  return have_own_files() && scan_pages(c.pagemap, scan) >= 0 && !c.no_guards;
}

i64 advise(Trap &trap, u64 *a) {
  constexpr int dontneed = 4, free = 8, remove = 9, dont_fork = 10, do_fork = 11, dont_dump = 16, wipe_on_fork = 18, keep_on_fork = 19;
  constexpr int populate_read = 22, populate_write = 23, guard_install = 102;
  Control &c = control();
  int advice = int(a[2]);
  bool of_flags = advice == dont_fork || advice == do_fork || (advice >= dont_dump && advice <= keep_on_fork);
  if (of_flags && !sure_of_advice(trap)) return go_home(trap, nr_madvise);
  u64 end = a[0] + align_up(a[1], kPage);
  if (ours(a[0], end - a[0])) return -EINVAL_;
  if (a[0] % kPage || end < a[0]) return sys(nr_madvise, a[0], a[1], a[2]);
  if (advice == guard_install && !tells_guards()) return -EINVAL_;        // whoever asks does without
  if ((advice == populate_read || advice == populate_write) && has_file(a[0], end)) touch_range(a[0], end - a[0], advice == populate_write);
  Lock lock(&c.lock);
  const bool gives_up = advice == dontneed;                               // the rest may fail, or keep what there is
  if (!gives_up && !bring_left(trap.slot, a[0], end)) return go_home_locked(trap, nr_madvise);
  Change change(a[0], end);
  if (gives_up && !give_up_left(a[0], end)) return go_home_locked(trap, nr_madvise);
  if (find_file(a[0], end)) {
    if (advice == remove) return go_home_locked(trap, nr_madvise);
    if (advice == free || advice == wipe_on_fork) {                     // for anonymous memory only, and so for what lies before
      u64 first = 0;
      each_file(a[0], end, [&](u64 from, u64) { return first = from, 1; });
      i64 error = first > a[0] ? sys(nr_madvise, a[0], first - a[0], a[2]) : 0;
      if (advice == wipe_on_fork) c.advised = 1;
      return error ? error : -EINVAL_;
    }
    if (advice == dontneed || advice == dont_fork || advice == do_fork) {   // the file's content shows again; home's child has what the guest's has
      i64 error = each_file(a[0], end, [&](u64 from, u64 to) { return ask(trap, Op::mirror, nr_madvise, from, to - from, u64(advice)); });
      if (error) return error;
    }
    if ((advice == dont_fork || advice == do_fork) && !mark_inherited(a[0], end, advice == do_fork)) return go_home_locked(trap, nr_madvise);
  }
  if (advice == dont_fork || advice == dont_dump || advice == wipe_on_fork) c.advised = 1;
  return find_in_book(a[0], end, is_shared) ? advise_shared(a[0], end, advice) : sys(nr_madvise, a[0], a[1], a[2]);
}

i64 remap(Trap &trap, u64 *a) {
  Control &c = control();
  u64 old_length = align_up(a[1], kPage), new_length = align_up(a[2], kPage);
  if (ours(a[0], old_length) || (a[3] & 2 && ours(a[4], new_length))) return -EINVAL_;
  {
    Lock lock(&c.lock);
    if (!bring_left(trap.slot, a[0], a[0] + old_length)) return go_home_locked(trap, nr_mremap);
    if (a[3] & 2) {
      if (!bring_left(trap.slot, a[4], a[4] + new_length)) return go_home_locked(trap, nr_mremap);
      Change change(a[4], a[4] + new_length);                             // before it is another's; the call may yet fail
    }
    Change change(a[0], a[0] + old_length);
    if (!find_mapping(book(), c.book_entries, a[0], a[0] + maximum<u64>(old_length, 1)) && !(a[3] & 2 && find_mapping(book(), c.book_entries, a[4], a[4] + new_length)))
      return sys(nr_mremap, a[0], a[1], a[2], a[3], a[4]);
  }
  return go_home(trap, nr_mremap);
}

i64 mincore(Trap &trap, u64 *a) {
  const u64 length = align_up(a[1], kPage);
  if (!bring_range(a[2], minimum<u64>(length / kPage, 32 << 20), true)) return -EFAULT_;
  if (a[0] % kPage == 0 && a[0] + length >= a[0]) {
    Lock lock(&control().lock);
    bring_left(trap.slot, a[0], a[0] + length);
  }
  return sys(nr_mincore, a[0], a[1], a[2]);
}

// mlock(2) and its kin say what is wrong and bring the pages; that they stay is the hosting node's own business.
i64 lock(Trap &trap, u32 nr, u64 *a) {
  constexpr u64 mlockall_current = 1, mlockall_future = 2, mlockall_onfault = 4;
  if (control().locked && (nr == nr_munlock || nr == nr_munlockall)) return go_home(trap, int(nr));   // else it would be locked when it is back
  if (nr == nr_munlockall) return 0;
  if (nr == nr_mlockall) return !a[0] || a[0] & ~(mlockall_current | mlockall_future | mlockall_onfault) || a[0] == mlockall_onfault ? -EINVAL_ : 0;
  if (nr == nr_mlock2 && a[2] & ~1ull) return -EINVAL_;
  u64 start = align_down(a[0], kPage), length = align_up(a[1] + (a[0] - start), kPage);
  if (start + length < start) return -EINVAL_;
  if (ours(start, length)) return -ENOMEM_;                               // at home nothing is there
  uint8_t seen[64];
  for (u64 at = start; at < start + length; at += sizeof seen * kPage)
    if (i64 error = sys(nr_mincore, at, minimum<u64>(sizeof seen * kPage, start + length - at), address(seen))) return error;
  if (nr == nr_munlock || (nr == nr_mlock2 && a[2])) return 0;
  constexpr u64 populate_read = 22, populate_write = 23;
  {
    Lock lock(&control().lock);
    if (!bring_left(trap.slot, start, start + length)) return go_home_locked(trap, int(nr));
    if (find_file(start, start + length)) return 0;                       // comes when it is touched
  }
  i64 error = sys(nr_madvise, start, length, populate_write);             // a shared page of zeros counts as none
  if (error) error = sys(nr_madvise, start, length, populate_read);
  return error ? -ENOMEM_ : 0;
}

// A limit that home has set is held here too, where memory is taken.
i64 limit(Trap &trap, u32 nr, u64 *a) {
  Control &c = control();
  bool of_any = nr == nr_prlimit64;
  u64 resource = u32(a[of_any ? 1 : 0]), at = a[of_any ? 2 : 1];
  if (resource == kLimitProcessor && at && (!of_any || !i32(a[0]) || i32(a[0]) == trap.slot->process->pid)) return go_home(trap, int(nr));
  i64 result = forward_call(trap, nr, a);
  RLimit now{};
  if (result || !at || trap.slot->process != &c.process || (of_any && i32(a[0]) && i32(a[0]) != c.pid)) return result;
  if ((resource != kLimitData && resource != kLimitSpace && resource != kLimitStack) || copy_program(&now, pointer<void>(at), sizeof now)) return 0;
  if (resource == kLimitStack) {
    RLimit own{};
    sys(nr_prlimit64, 0, resource, 0, address(&own));
    own.soft = minimum(now.soft, own.hard);
    sys(nr_prlimit64, 0, resource, address(&own));
    return 0;
  }
  Lock lock(&c.lock);
  (resource == kLimitData ? c.data_limit : c.space_limit) = now.soft;
  hold_limits(c.slots);
  return 0;
}

}  // namespace

void hold_limits(u64 slots) {
  Control &c = control();
  u64 own = kSlotsOffset + slots * kSlotSize + kReadSize;
  auto hold = [&](u64 resource, u64 wanted) {
    RLimit limit{};
    if (sys(nr_prlimit64, 0, resource, 0, address(&limit))) return;
    u64 more = resource == kLimitSpace ? kRegionSize : own;             // all of it is reserved, and some of it is written
    u64 soft = minimum<u64>(wanted > ~0ull - more ? ~0ull : wanted + more, limit.hard);
    if (soft == limit.soft) return;
    limit.soft = soft;
    sys(nr_prlimit64, 0, resource, address(&limit));
  };
  hold(kLimitData, c.data_limit);
  hold(kLimitSpace, c.space_limit);
}

bool sure_of_advice(Trap &trap) {
  Control &c = control();
  if (c.unsure && ask(trap, Op::advice, 0) == 0) c.unsure = 0;
  return !c.unsure;
}

i64 memory_call(Trap &trap, u32 nr, u64 *args) {
  switch (nr) {
    case nr_mmap: return map(trap, args);
    case nr_munmap: return unmap(trap, args[0], args[1]);
    case nr_mprotect: return protect(trap, args);
    case nr_madvise: return advise(trap, args);
    case nr_mremap: return remap(trap, args);
    case nr_setrlimit: case nr_prlimit64: return limit(trap, nr, args);
    case nr_brk: return set_break(args[0]);
    case nr_mincore: return mincore(trap, args);
    default: return lock(trap, nr, args);
  }
}

}  // namespace mosrun
