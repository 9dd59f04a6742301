// Guest: calls that change mappings. Plain memory is the guest's own affair and mostly does not even trap. What touches a mapping whose truth lies at
// home (a file's) is done at home too, at the same address, so that home's mappings stay right and a return has only pages to bring.
#include "syscalls.h"
#include "stub.h"

namespace mosrun {

namespace {

Mapping *book() { return pointer<Mapping>(base() + kBookOffset); }

bool ours(u64 start, u64 length) {                                      // the stub's region and the clocks
  Control &c = control();
  u64 end = start + length;
  return (start < base() + kRegionSize && end > base() && start >= base()) || (start < c.vdso_end && end > c.vdso_start);
}

bool of_file(const Mapping &m) { return m.kind == Kind::file_private || m.kind == Kind::file_shared; }

Mapping *find_file(u64 start, u64 end) {
  Control &c = control();
  for (u64 i = 0; i < c.book_entries; ++i)
    if (book()[i].start < end && start < book()[i].end && of_file(book()[i])) return &book()[i];
  return nullptr;
}

// Takes [start, end) out of the book, splitting what it cuts.
bool forget(u64 start, u64 end) {
  Control &c = control();
  u64 n = c.book_entries;
  for (u64 i = 0; i < n; ++i) {
    Mapping &m = book()[i];
    if (m.start >= end || m.end <= start) continue;
    if (m.start < start && m.end > end) {
      if (c.book_entries == kBookMax) return false;
      Mapping rest = m;
      rest.start = end;
      m.end = start;
      book()[c.book_entries++] = rest;
    } else if (m.start < start) {
      m.end = start;
    } else if (m.end > end) {
      m.start = end;
    } else {
      book()[i--] = book()[--c.book_entries];
      n = minimum(n, c.book_entries);
    }
  }
  return true;
}

bool note(const Mapping &m) {
  Control &c = control();
  if (c.book_entries == kBookMax) return false;
  book()[c.book_entries++] = m;
  return true;
}

i64 unmap(Trap &trap, u64 start, u64 length) {
  Control &c = control();
  if (start % kPage || !length || start + length < start) return -EINVAL_;
  length = align_up(length, kPage);
  if (ours(start, length)) return -EINVAL_;
  Lock lock(&c.lock);
  if (find_file(start, start + length))
    if (i64 error = ask(trap, Op::mirror, nr_munmap, start, length)) return error;
  if (!forget(start, start + length)) return -ENOMEM_;
  return sys(nr_munmap, start, length);
}

i64 map_file(Trap &trap, u64 *a) {
  Control &c = control();
  u64 at = a[0], length = align_up(a[1], kPage), prot = a[2], flags = a[3];
  bool shared = (flags & 3) != map_private;
  if (!a[1] || length < a[1]) return a[1] ? -ENOMEM_ : -EINVAL_;
  if (a[5] % kPage) return -EINVAL_;
  if (shared && prot & prot_write) return go_home(trap, nr_mmap);
  bool fixed = flags & map_fixed, replace = fixed && !(flags & map_fixed_noreplace);
  if (fixed && (at % kPage || ours(at, length))) return at % kPage ? -EINVAL_ : -ENOMEM_;
  Lock lock(&c.lock);
  if (!replace) {
    u64 reserve = map_private | map_anonymous | map_noreserve | (flags & (map_fixed | map_fixed_noreplace | 0x40));
    i64 got = sys(nr_mmap, at, length, prot_none, reserve, u64(-1), 0);
    if (failed(got)) return got;
    at = u64(got);
  }
  // Home has at this address either nothing or what the guest has given up.
  i64 result = ask(trap, Op::map, nr_mmap, at, a[1], prot, (flags & ~u64(map_fixed_noreplace | 0x8000 | 0x2000)) | map_fixed, a[4], a[5]);
  if (failed(result)) {
    if (!replace) sys(nr_munmap, at, length);
    return result;
  }
  forget(at, at + length);
  Mapping m{at, at + length, u32(prot & 7), shared ? Kind::file_shared : Kind::file_private, kLazy | (!shared && prot & prot_write ? kWritten : 0), 0};
  i64 got = sys(nr_mmap, at, length, prot, map_private | map_anonymous | map_fixed | map_noreserve, u64(-1), 0);
  if (!failed(got)) got = watch_missing(m);
  if (failed(got) || !note(m)) return go_home_locked(trap, nr_mmap);          // home has mapped it: mapping it again there is the same
  return i64(at);
}

i64 map(Trap &trap, u64 *a) {
  Control &c = control();
  u64 flags = a[3];
  if (!(flags & map_anonymous)) return map_file(trap, a);
  if (flags & 0x40000) return go_home(trap, nr_mmap);                   // MAP_HUGETLB: home's reserve
  bool fixed = flags & map_fixed, shared = (flags & 3) == map_shared;
  u64 length = align_up(a[1], kPage);
  if (fixed && a[0] % kPage) return -EINVAL_;
  if (fixed && ours(a[0], length)) return -ENOMEM_;
  Lock lock(&c.lock);
  if (fixed && !(flags & map_fixed_noreplace) && a[1]) {
    if (find_file(a[0], a[0] + length)) {
      i64 error = ask(trap, Op::mirror, nr_mmap, a[0], length, a[2], map_private | map_anonymous | map_fixed | map_noreserve, u64(-1), 0);
      if (failed(error)) return error;
    }
    if (!forget(a[0], a[0] + length)) return -ENOMEM_;
  }
  i64 at = sys(nr_mmap, a[0], a[1], a[2], flags | (flags & map_growsdown ? 0 : map_noreserve), u64(-1), 0);
  if (!failed(at) && shared) note({u64(at), u64(at) + length, u32(a[2] & 7), Kind::shared_anon, 0, 0});
  return at;
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

i64 advise(Trap &trap, u64 *a) {
  Control &c = control();
  int advice = int(a[2]);
  u64 end = a[0] + align_up(a[1], kPage);
  if (ours(a[0], end - a[0])) return -EINVAL_;
  Lock lock(&c.lock);
  if (find_file(a[0], end)) {
    if (advice == 8) return -EINVAL_;                                   // MADV_FREE is for anonymous memory
    if (advice == 4) {                                                  // MADV_DONTNEED: the file's content shows again
      if (i64 error = ask(trap, Op::mirror, nr_madvise, a[0], end - a[0], 4)) return error;
    } else if (advice == 9) {
      return go_home_locked(trap, nr_madvise);
    }
  }
  return sys(nr_madvise, a[0], a[1], a[2]);
}

i64 remap(Trap &trap, u64 *a) {
  Control &c = control();
  u64 old_length = align_up(a[1], kPage), new_length = align_up(a[2], kPage);
  if (ours(a[0], old_length) || (a[3] & 2 && ours(a[4], new_length))) return -EINVAL_;
  {
    Lock lock(&c.lock);
    if (!find_mapping(book(), c.book_entries, a[0], a[0] + maximum<u64>(old_length, 1)) && !(a[3] & 2 && find_mapping(book(), c.book_entries, a[4], a[4] + new_length)))
      return sys(nr_mremap, a[0], a[1], a[2], a[3], a[4]);
  }
  return go_home(trap, nr_mremap);
}

}  // namespace

i64 memory_call(Trap &trap, u32 nr, u64 *args) {
  switch (nr) {
    case nr_mmap: return map(trap, args);
    case nr_munmap: return unmap(trap, args[0], args[1]);
    case nr_mprotect: return protect(trap, args);
    case nr_madvise: return advise(trap, args);
    case nr_mremap: return remap(trap, args);
    default: return 0;   // mlock and its kin: what the hosting node keeps in memory is its own business
  }
}

// A page of a file's mapping is touched for the first time: a stretch around it comes from home. False if there is no such page (beyond the end of
// the file): the program gets its SIGBUS.
bool fetch_page(Slot *slot, u64 at) {
  Control &c = control();
  Mapping m{};
  {
    Mapping *found = nullptr;
    for (u64 i = 0; i < c.book_entries && !found; ++i)
      if (at - book()[i].start < book()[i].end - book()[i].start && (book()[i].flags & kLazy)) found = &book()[i];
    if (!found) return false;
    m = *found;
  }
  constexpr u64 stretch = 64 << 10;
  u64 start = maximum(m.start, align_down(at, stretch)), end = minimum(m.end, align_down(at, stretch) + stretch);
  Request r{};
  r.op = Op::fetch;
  r.out_size = u32(end - start);
  r.args[0] = start;
  r.args[1] = end - start;
  r.args[2] = !(m.prot & prot_read);
  r.args[3] = m.prot;
  uint8_t *bytes = pointer<uint8_t>(address(slot) + kBufferOffset + kBufferSize - stretch);
  IoVec in[1], out[1] = {{address(bytes), stretch}};
  Reply reply{};
  i64 n = exchange(slot, r, in, 1, out, 1, reply);
  if (reply.flags & kSignalWaits) slot->signal_waits = 1;
  if (n <= 0 || start + u64(n) <= align_down(at, kPage)) {
    if (start == align_down(at, kPage)) return false;
    // the stretch begins beyond a hole: only the page itself
    r.args[0] = start = align_down(at, kPage);
    r.args[1] = r.out_size = kPage;
    out[0] = {address(bytes), stretch};
    n = exchange(slot, r, in, 1, out, 1, reply);
    if (n <= 0) return false;
  }
  zero(bytes + n, align_up(u64(n), kPage) - u64(n));
  u64 total = align_up(u64(n), kPage);
  u64 step = total;                                                     // one page at a time where the stretch is not one mapping any more
  for (u64 done = 0; done < total;) {
    struct { u64 to, from, length, mode; i64 copied; } ask{start + done, address(bytes) + done, minimum(step, total - done), 0, 0};
    i64 result = sys(nr_ioctl, u64(c.uffd), 0xc028aa03, address(&ask));   // UFFDIO_COPY
    if (ask.copied > 0) result = ask.copied;
    if (result == 0) result = i64(ask.length);
    if (result > 0) done += u64(result);
    else if (result == -EEXIST_) done += kPage;                         // another thread was first, or it is the program's own copy
    else if (result == -EAGAIN_) continue;
    else if (step > kPage) step = kPage;
    else if (start + done == align_down(at, kPage)) return false;
    else done += kPage;
  }
  return true;
}

}  // namespace mosrun
