// Memory that does not go before the program or with it, but follows (post-copy): a program that leaves its home lazily is away at once, and its anonymous
// memory comes a stretch at a time as it is touched, as pages of files do (file-pages.cc). Home keeps what it has. What comes of it when the program is back
// there: pages that were never touched away are those of home, all others are the guest's.
#include "book.h"
#include "pagemap.h"

namespace mosrun {

namespace {

constexpr u64 kWorth = 64 << 10;                           // bytes: what is smaller goes along
constexpr u64 kGap = 1 << 20;                              // so much of nothing is not asked for

struct Range { u64 start, end; };

// What the kernel looks at without asking (rseq(2), set_robust_list(2), set_tid_address(2); all near the thread's own data), and what the program needs at
// once: the stack.
constexpr unsigned kHot = 5;
Range hot(const Slot *slot, unsigned which) {
  constexpr u64 above = 64 << 10, below = 16 << 10, near = 2 * kPage;
  const u64 stack = saved_frame(const_cast<Slot *>(slot))->context.regs.sp;
  switch (which) {
    case 0: return {align_down(stack - near, kPage), align_down(stack + above, kPage)};
    case 1: return {align_down(slot->fs_base - below, kPage), align_up(slot->fs_base + near, kPage)};
    case 2: return {align_down(slot->rseq, kPage), align_up(slot->rseq + slot->rseq_length, kPage)};
    case 3: return {align_down(slot->robust_list, kPage), align_up(slot->robust_list + slot->robust_length, kPage)};
    default: return {align_down(slot->tid_address, kPage), align_up(slot->tid_address + sizeof(u32), kPage)};
  }
}

// The first such part of [at, end).
Range next_hot(u64 at, u64 end) {
  Range next{end, end};
  for (u32 i = 0; i < control().slots; ++i) {
    const Slot *slot = slot_at(i);
    for (unsigned which = 0; slot->state == u32(SlotState::used) && which < kHot; ++which) {
      const Range r = hot(slot, which);
      const u64 from = maximum(r.start, at), to = minimum(r.end, end);
      if (from < to && (from < next.start || (from == next.start && to > next.end))) next = {from, to};
    }
  }
  return next;
}

// Of a mapping the parts with anything in them, marked, and those between; one part where that cannot be told.
u64 divide(const Mapping &m, Mapping *to, u64 room) {
  constexpr u64 most = 512;
  auto *found = reinterpret_cast<PageRegion *>(buffer(this_slot()));
  u64 count = 0, at = m.start, end = m.start;               // [at, end): the part that is being put together
  bool has = false, whole = false;
  auto add_part = [&](u64 start, u64 until, bool left) {
    if (start >= until) return;
    to[count] = m;
    to[count].start = start;
    to[count].end = until;
    if (left) to[count].flags |= kLazy;
    ++count;
  };
  for (u64 from = m.start; from < m.end && !whole;) {
    PageScan scan = scan_present(from, m.end, found, most, page_is_zero, 0);
    const i64 n = scan_pages(control().pagemap, scan);
    for (i64 i = 0; i < n; ++i)
      if (found[i].categories & page_is_guard) return to[0] = m, 1;     // it goes along
    if (n < 0 || scan.walk_end <= from) {
      whole = n < 0;
      break;
    }
    for (i64 i = 0; i < n && !whole; ++i) {
      if (has && found[i].start - end <= kGap) {
        end = found[i].end;
        continue;
      }
      whole = count + 4 > room;
      if (whole) break;
      if (has) add_part(at, end, true), at = end;
      add_part(at, found[i].start, false);
      at = found[i].start;
      end = found[i].end;
      has = true;
    }
    from = scan.walk_end;
  }
  if (whole) {
    to[0] = m;
    to[0].flags |= kLazy;
    return 1;
  }
  if (has) add_part(at, end, true), at = end;
  add_part(at, m.end, false);
  return count;
}

}  // namespace

u64 leave_behind(Mapping *mappings, u64 count) {
  auto *list = pointer<Mapping>(base() + kListOffset);
  // In the guest each is a mapping of its own, and the book is to have room for what the program does to them.
  constexpr u64 pieces_most = kFilesMax / 4, left_most = kFilesMax / 2;
  u64 made = 0, left = 0;
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = mappings[i];
    const u64 total = made + (count - i), more = made - i;
    const u64 room = total < kMappingsMax && more < pieces_most ? minimum(kMappingsMax - total, pieces_most - more) : 0;
    const bool stays = left < left_most && m.kind == Kind::anon && m.end - m.start >= kWorth && !(m.flags & kAdvised);
    const u64 first = made;
    if (stays) made += divide(m, list + made, room);
    else list[made++] = m;
    for (u64 k = first; k < made; ++k) left += is_left(list[k]);
  }
  copy(mappings, list, made * sizeof(Mapping));
  return made;
}

i64 send_hot(int channel, int pagemap, const Mapping &m, uint8_t *scratch, Sent &sent) {
  const bool hidden = !(m.prot & prot_read);
  for (u64 at = m.start; at < m.end;) {
    const Range r = next_hot(at, m.end);
    if (r.start >= r.end) break;
    if (hidden) sys(nr_mprotect, m.start, m.end - m.start, prot_read);
    const i64 error = send_pages(channel, pagemap, r.start, r.end, false, scratch, sent);
    if (hidden) sys(nr_mprotect, m.start, m.end - m.start, m.prot);
    if (error) return error;
    at = r.end;
  }
  return 0;
}

namespace {

template <class Which, class Each> bool each_piece(u64 start, u64 end, Which which, Each each) {
  Control &c = control();
  while (const Mapping *m = find_in_book(start, end, which)) {
    const u64 from = maximum(m->start, start), to = minimum(m->end, end);
    struct { u64 start, length; } range{from, to - from};
    if (!each(from, to) || !forget_mappings(from, to)) return false;
    sys(nr_ioctl, u64(control().uffd), 0x8010aa01, address(&range));      // UFFDIO_UNREGISTER
    c.left_changed = c.left_changed + 1;
  }
  return true;
}

}  // namespace

bool bring_left(Slot *slot, u64 start, u64 end) {
  return each_piece(start, end, is_left, [&](u64 from, u64 to) {
    uint8_t here[64];
    for (u64 at = from; at < to;) {
      const u64 pages = minimum<u64>(sizeof here, (to - at) / kPage);
      if (sys(nr_mincore, at, pages * kPage, address(here))) return false;
      // One that is out on a disk counts as not there, and stays what it is.
      for (u64 i = 0; i < pages; ++i, at += kPage)
        if (!(here[i] & 1) && !fetch_page(slot, at)) return false;
    }
    return true;
  });
}

void bring_lazy(Slot *slot, u64 start, u64 end) {
  constexpr u64 most = 256 << 20;
  if (end - start > most) return;
  each_piece(start, end, is_lazy, [&](u64 from, u64 to) {
    for (u64 at = from; at < to && fetch_page(slot, at); at += kPage) {
    }
    return true;
  });
}

// What has come whole is as any other memory: it can go ahead of the program when that leaves, which a part with gaps cannot.
void settle_left() {
  constexpr u64 step = 256;                                // pages: the program's other threads want the lock too
  Control &c = control();
  uint8_t here[step];
  for (u64 at = 0;;) {
    Lock lock(&c.lock);
    const Mapping *next = nullptr;
    for (u64 i = 0; i < c.book_entries; ++i) {
      const Mapping &m = book()[i];
      if (is_left(m) && m.end > at && (!next || m.start < next->start)) next = &m;
    }
    if (!next) return;
    const u64 from = maximum(at, next->start), to = minimum(next->end, from + step * kPage);
    at = to;
    if (sys(nr_mincore, from, to - from, address(here))) continue;
    bool whole = true;
    for (u64 i = 0; i < (to - from) / kPage; ++i) whole = whole && (here[i] & 1);
    if (whole && !give_up_left(from, to)) return;
  }
}

bool give_up_left(u64 start, u64 end) {
  return each_piece(start, end, is_left, [](u64, u64) { return true; });
}

}  // namespace mosrun
