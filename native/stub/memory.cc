// Mappings and pages, the same on both sides: whoever leaves sends straight from place, whoever receives does so into place.
#include "../engine/packing.h"
#include "stub.h"

#include "pagemap.h"

namespace mosrun {

// --- /proc/self/maps ---------------------------------------------------------------------------------------------------------
namespace {

struct Line {
  const char *at, *end;
  bool more() const { return at < end; }
  u64 hex() {
    u64 v = 0;
    for (; more(); ++at) {
      u64 d = u64(*at - '0');
      if (d > 9) d = u64((*at | 32) - 'a') + 10;
      if (d > 15) break;
      v = v * 16 + d;
    }
    return v;
  }
  void skip() { if (more()) ++at; }
  bool starts(const char *text) const {
    const char *p = at;
    for (; *text; ++text, ++p)
      if (p >= end || *p != *text) return false;
    return true;
  }
};

// Numbers for objects of shared memory, in the order of their first mappings.
struct Objects {
  u64 *inodes;
  u64 room, count = 0;
  uint16_t number(u64 inode) {
    for (u64 i = 0; i < count; ++i)
      if (inodes[i] == inode) return uint16_t(i + 1);
    if (count == room) return 0;
    inodes[count++] = inode;
    return uint16_t(count);
  }
};

bool parse(Line line, Mapping &m, Objects &objects, Files *files) {
  m.start = line.hex();
  line.skip();
  m.end = line.hex();
  line.skip();
  if (line.end - line.at < 5) return false;
  m.prot = (line.at[0] == 'r' ? prot_read : 0) | (line.at[1] == 'w' ? prot_write : 0) | (line.at[2] == 'x' ? prot_exec : 0);
  bool shared = line.at[3] == 's';
  line.at += 5;
  u64 offset = line.hex();
  line.skip();
  const u64 major = line.hex();
  line.skip();
  const u64 minor = line.hex();
  line.skip();
  u64 inode = 0;
  for (; line.more() && *line.at >= '0' && *line.at <= '9'; ++line.at) inode = inode * 10 + u64(*line.at - '0');
  while (line.more() && *line.at == ' ') ++line.at;
  m.flags = m.object = 0;
  m.at = 0;
  if (shared && (line.starts("/dev/zero (deleted)") || line.starts("/memfd:"))) {   // all of one file system of the kernel's
    m.kind = Kind::shared_anon;
    m.object = objects.number(inode);
    m.at = u32(offset / kPage);
    return m.object && offset / kPage == m.at;
  }
  if (line.starts("/dev/zero (deleted)")) m.kind = Kind::other;
  else if (inode && files && !shared) m.kind = Kind::file_private, files->look(m, offset / kPage, {line.at, line.end, major, minor, inode});
  else if (inode) m.kind = shared ? Kind::file_shared : Kind::file_private;
  else if (line.starts("[vdso]")) m.kind = Kind::vdso;
  else if (line.starts("[vvar") || line.starts("[vsyscall") || line.starts("[uprobes")) m.kind = Kind::other;
  else if (line.starts("[stack]")) m.kind = Kind::stack;
  else m.kind = shared ? Kind::other : Kind::anon;
  return true;
}

// A line of the long list that belongs to the mapping before it: its VmFlags count.
bool is_detail(const Line &line) { return line.more() && *line.at >= 'A' && *line.at <= 'Z'; }

void note_flags(Line line, Mapping &m) {
  if (!line.starts("VmFlags:")) return;
  for (const char *p = line.at; p + 1 < line.end; ++p)
    for (const Advice &advice : kAdvice)
      if (p[0] == advice.letters[0] && p[1] == advice.letters[1]) m.flags |= advice.flag;
}

}  // namespace

// The list is read whole before anything is changed by it. The stub's own region is left out. `maps` may be the long list. The kernel makes it a page at
// a time: where other threads map meanwhile, a line may begin before the end of the one before it, as for everybody who reads it (proc(5) of maps). Of
// such a one what is new counts.
u64 read_mappings(int maps, Mapping *list, u64 max, Files *files) { return read_mappings(maps, list, max, buffer(this_slot()), kBufferSize, files); }

u64 read_mappings(int maps, Mapping *list, u64 max, uint8_t *scratch, u64 room, Files *files) {
  char *text = reinterpret_cast<char *>(scratch);
  const u64 size = minimum<u64>(64 << 10, room / 2);
  Objects objects{reinterpret_cast<u64 *>(text + size), (room - size) / sizeof(u64)};
  u64 held = 0, count = 0;
  bool kept = false;
  sys(nr_lseek, u64(maps), 0, 0);
  for (;;) {
    i64 n = sys(nr_read, u64(maps), address(text + held), size - held);
    if (n == -EINTR_) continue;
    if (n <= 0) return n < 0 || held ? 0 : count;
    held += u64(n);
    char *from = text, *end = text + held;
    for (char *p = from; p < end; ++p)
      if (*p == '\n') {
        Mapping m{};
        Line line{from, p};
        from = p + 1;
        if (is_detail(line)) {
          if (kept) note_flags(line, list[count - 1]);
          continue;
        }
        if (!parse(line, m, objects, files)) return 0;
        const u64 last = count ? list[count - 1].end : 0;
        kept = m.start - base() >= kRegionSize && m.end > last;
        if (!kept) continue;
        if (m.start < last) cut_front(m, last);
        if (count == max) return 0;
        list[count++] = m;
      }
    held = u64(end - from);
    copy(text, from, held);
  }
}

Mapping *find_mapping(Mapping *list, u64 count, u64 start, u64 end) {
  for (u64 i = 0; i < count; ++i)
    if (list[i].start < end && start < list[i].end) return &list[i];
  return nullptr;
}

void cut_front(Mapping &m, u64 start) {
  if (m.kind == Kind::shared_anon || m.object) m.at += u32((start - m.start) / kPage);
  m.start = start;
}

namespace {
u64 last_page(const Mapping &m) { return m.at + (m.end - m.start) / kPage; }
bool same_object(const Mapping &a, const Mapping &b) { return a.kind == Kind::shared_anon && b.kind == Kind::shared_anon && a.object && a.object == b.object; }
}  // namespace

bool shows_the_same(const Mapping &a, const Mapping &b) { return same_object(a, b) && a.at < last_page(b) && b.at < last_page(a); }

// Is all that list[i] shows shown by an earlier one, with which its pages travel?
bool shown_before(const Mapping *list, u64 i) {
  for (u64 j = 0; list[i].object && j < i; ++j)
    if (same_object(list[i], list[j]) && list[j].at <= list[i].at && last_page(list[i]) <= last_page(list[j])) return true;
  return false;
}

bool possible_mappings(const Mapping *list, u64 count) {
  u64 last = 0;
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = list[i];
    if (m.kind == Kind::other) continue;
    if (m.start < last || m.end <= m.start || (m.start | m.end) % kPage || touches_stub(m.start, m.end - m.start) || m.end >> 47) return false;
    last = m.end;
  }
  return true;
}

// What has been said of each mapping is said again; `take`: also what has not been said is taken back. Of none is it an error that is new.
void follow_advice(const Mapping *list, u64 count, bool take) {
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = list[i];
    if (m.kind == Kind::vdso || m.kind == Kind::other || (!take && !(m.flags & kAdvised))) continue;
    for (const Advice &advice : kAdvice) {
      bool given = m.flags & advice.flag;
      if (advice.give && (given || take)) sys(nr_madvise, m.start, m.end - m.start, given ? advice.give : advice.take);
    }
  }
}

// Small file mappings and writable ones travel as far as the process has touched them; of the others only its own copies do.
bool eager_file_pages(const Mapping &m) { return m.end - m.start <= (256 << 10) || (m.prot & prot_write); }

// --- records -----------------------------------------------------------------------------------------------------------------
i64 send_record(int fd, Record type, u32 count, const void *data, u64 length) {
  RecordHeader header{type, count, length};
  IoVec iov[2] = {{address(&header), sizeof header}, {reinterpret_cast<u64>(data), length}};
  return send_all(fd, iov, 2);
}

i64 receive_record(int fd, RecordHeader &header, i64 timeout_ms) {
  if (timeout_ms >= 0) {
    i64 ready = wait_readable(fd, timeout_ms);
    if (ready <= 0) return ready < 0 ? ready : -ETIMEDOUT_;
  }
  return receive_all(fd, &header, sizeof header);
}

// The process's state and a record for each slot. Tokens stay at home: a guest opens no channels.
i64 send_state(int fd, u32 threads) {
  auto *shown = reinterpret_cast<Control *>(buffer(this_slot()));
  copy(shown, &control(), sizeof *shown);
  zero(shown->token, sizeof shown->token);
  zero(&shown->next, sizeof shown->next);
  shown->threads = threads;
  i64 error = send_record(fd, Record::state, threads, shown, sizeof *shown);
  for (u32 i = 0; i < shown->slots && !error; ++i) {
    Slot *slot = slot_at(i);
    if (slot->state != u32(SlotState::used)) slot->frame_length = 0;
    RecordHeader header{Record::slot, i, sizeof *slot + slot->frame_length};
    IoVec iov[3] = {{address(&header), sizeof header}, {address(slot), sizeof *slot}, {address(saved_frame(slot)), slot->frame_length}};
    error = send_all(fd, iov, 3);
  }
  return error;
}

// --- pages -------------------------------------------------------------------------------------------------------------------
namespace {

struct Batch {
  int fd;
  Sent &sent;
  PageRun *runs;
  IoVec *iov;
  u32 count = 0;
  u64 bytes = 0;

  i64 flush() {
    if (!count) return 0;
    RecordHeader header{Record::pages, count, count * sizeof(PageRun) + bytes};
    iov[0] = {address(&header), sizeof header};
    iov[1] = {address(runs), count * sizeof(PageRun)};
    u32 parts = 2;
    for (u32 i = 0; i < count; ++i)
      if (!(runs[i].address & (kStands | kGuard))) iov[parts++] = {runs[i].address, runs[i].length};
    i64 result = send_all(fd, iov, parts);
    sent.bytes += header.length + sizeof header;
    sent.pages += bytes / kPage;
    count = 0;
    bytes = 0;
    return result;
  }
  i64 add(u64 start, u64 end) {
    while (start < end) {
      u64 part = minimum<u64>(end - start, kRunMax - bytes);
      if (count && runs[count - 1].address + runs[count - 1].length == start) runs[count - 1].length += part;
      else runs[count++] = {start, part};
      bytes += part;
      start += part;
      if (count == kRunsMax || bytes >= kRunMax)
        if (i64 error = flush()) return error;
    }
    return 0;
  }
  i64 stands(u64 start, u64 end, u64 how = kStands) {
    if (count && (runs[count - 1].address & how) && (runs[count - 1].address ^ how) + runs[count - 1].length == start) runs[count - 1].length += end - start;
    else runs[count++] = {start | how, end - start};
    return count == kRunsMax ? flush() : 0;
  }
};

// Kernels before 6.7: one 64-bit word per page; bit 63 present, 62 swapped, 61 file or shared (Documentation/admin-guide/mm/pagemap.rst).
i64 scan_words(int pagemap, u64 start, u64 end, bool files, u64 *words, Batch &batch) {
  constexpr u64 chunk = 4096;
  while (start < end) {
    u64 n = minimum(chunk, (end - start) / kPage);
    i64 got = sys(nr_pread64, u64(pagemap), address(words), n * 8, start / kPage * 8);
    if (got <= 0) return got < 0 ? got : -EIO_;
    for (u64 i = 0; i < u64(got) / 8; ++i, start += kPage)
      if ((words[i] >> 62) && !(words[i] >> 58 & 1) && (files || !(words[i] >> 61 & 1)))   // bit 58: a guard
        if (i64 error = batch.add(start, start + kPage)) return error;
  }
  return 0;
}

}  // namespace

i64 scan_pages(int pagemap, PageScan &scan) {
  Control &c = control();
  if (c.no_guards) without_guards(scan);
  const i64 n = sys(nr_ioctl, u64(pagemap), kPagemapScan, address(&scan));
  if (n != -EINVAL_ || c.no_guards) return n;
  without_guards(scan);
  const i64 again = sys(nr_ioctl, u64(pagemap), kPagemapScan, address(&scan));
  c.no_guards = again >= 0;
  return again;
}

namespace {

// What every look at pages needs, in the thread's buffers.
struct Pages {
  static constexpr u64 regions = 512, words_max = 4096;
  PageRegion *found;
  u64 *words;
  Batch batch;
  Pages(int fd, uint8_t *scratch, Sent &sent)
      : found(reinterpret_cast<PageRegion *>(scratch)), words(reinterpret_cast<u64 *>(scratch + 2 * regions * sizeof(PageRegion))),
        batch{fd, sent, reinterpret_cast<PageRun *>(words + words_max), reinterpret_cast<IoVec *>(words + words_max + kRunsMax * sizeof(PageRun) / 8)} {}
};

// The present pages of [start, end). `live`: those that are unchanged since they were sent are only named; false: not all of it is watched.
i64 send_present(Pages &pages, int pagemap, u64 start, u64 end, bool files, bool live) {
  PageRegion *found = pages.found + Pages::regions;
  while (start < end) {
    PageScan scan = scan_present(start, end, found, Pages::regions, files ? u64(page_is_zero) : u64(page_is_zero | page_is_file), live ? kCheckProtection : 0);
    if (live) scan.returned |= page_is_written;
    i64 n = scan_pages(pagemap, scan);
    if (n < 0 && live) {
      live = false;
      continue;
    }
    if (n < 0) return scan_words(pagemap, start, end, files, pages.words, pages.batch);
    for (i64 i = 0; i < n; ++i) {
      const PageRegion &r = found[i];
      if (i64 error = r.categories & page_is_guard ? pages.batch.stands(r.start, r.end, kGuard) : live && !(r.categories & page_is_written) ? pages.batch.stands(r.start, r.end) : pages.batch.add(r.start, r.end)) return error;
    }
    if (scan.walk_end <= start) break;
    start = scan.walk_end;
  }
  return 0;
}

}  // namespace

i64 send_pages(int fd, int pagemap, u64 start, u64 end, bool files, uint8_t *scratch, Sent &sent) {
  Pages pages(fd, scratch, sent);
  i64 error = send_present(pages, pagemap, start, end, files, false);
  return error ? error : pages.batch.flush();
}

// Anonymous memory that went ahead. What is protected still has not changed; all else may have, or is not there. To ask for nothing but that is what the
// kernel has a short way for: 4 ns a page instead of 80 (pagemap_scan_pmd_entry, fs/proc/task_mmu.c). Where the kernel does not watch, all has changed.
i64 send_changes(int fd, int pagemap, u64 start, u64 end, uint8_t *scratch, Sent &sent) {
  constexpr i64 many = 64;
  Pages pages(fd, scratch, sent);
  while (start < end) {
    PageScan scan = scan_changed(start, end, pages.found, Pages::regions);
    i64 n = sys(nr_ioctl, u64(pagemap), kPagemapScan, address(&scan));
    if (n < 0 || scan.walk_end <= start) {
      if (i64 error = send_present(pages, pagemap, start, end, true, false)) return error;
      break;
    }
    u64 changed = 0;
    for (i64 i = 0; i < n; ++i) changed += pages.found[i].end - pages.found[i].start;
    if (n >= many && changed >= (scan.walk_end - start) / 4) {
      if (i64 error = send_present(pages, pagemap, start, scan.walk_end, true, true)) return error;
      start = scan.walk_end;
      continue;
    }
    for (i64 i = 0; i < n; ++i) {
      const PageRegion r = pages.found[i];
      if (r.start > start)
        if (i64 error = pages.batch.stands(start, r.start)) return error;
      if (i64 error = send_present(pages, pagemap, r.start, r.end, true, false)) return error;
      start = r.end;
    }
    if (scan.walk_end > start)
      if (i64 error = pages.batch.stands(start, scan.walk_end)) return error;
    start = scan.walk_end;
  }
  return pages.batch.flush();
}

// Of shared memory a page may be there that no page table of this process has: the kernel's cache knows (mincore(2)).
i64 send_cached_pages(int fd, u64 start, u64 end, uint8_t *scratch, Sent &sent) {
  constexpr u64 chunk = 32 << 10;
  auto *runs = reinterpret_cast<PageRun *>(scratch);
  auto *iov = reinterpret_cast<IoVec *>(runs + kRunsMax);
  auto *there = reinterpret_cast<uint8_t *>(iov + kRunsMax + 2);
  Batch batch{fd, sent, runs, iov};
  while (start < end) {
    u64 pages = minimum(chunk, (end - start) / kPage);
    if (i64 error = sys(nr_mincore, start, pages * kPage, address(there))) return error;
    for (u64 i = 0; i < pages; ++i, start += kPage)
      if (there[i] & 1)
        if (i64 error = batch.add(start, start + kPage)) return error;
  }
  return batch.flush();
}

i64 receive_packed(int fd, const RecordHeader &header, uint8_t *scratch, Unpacked &got) {
  const u64 table = header.count * sizeof(PageRun), packed = header.length - table;
  got = {reinterpret_cast<PageRun *>(scratch), scratch + kRunsMax * sizeof(PageRun), header.count, 0, 0};
  uint8_t *in = got.bytes + kPackedMax;
  if (!header.count || header.count > kRunsMax || header.length <= table || packed > kPackedMax) return -EPROTO_;
  if (i64 error = receive_all(fd, got.runs, table)) return error;
  for (u32 i = 0; i < got.count; ++i) {
    const PageRun &run = got.runs[i];
    if (!is_whole(run, kPackedMax)) return -EPROTO_;
    got.size += run.length;
  }
  if (got.size > kPackedMax || got.size < packed) return -EPROTO_;
  got.saved = got.size - packed;
  if (i64 error = receive_all(fd, in, packed)) return error;
  return lz4::unpack(in, u32(packed), got.bytes, u32(got.size)) ? 0 : -EPROTO_;
}

i64 insert_in_stage(Mapping *list, u64 &count, u64 max, const Mapping &m) {
  if (count == max) return -ENOMEM_;
  u64 at = count++;
  for (; at && list[at - 1].start > m.start; --at) list[at] = list[at - 1];
  list[at] = m;
  return 0;
}

// The parts of a mapping that are not in the stage yet are made, and inserted by who makes them.
i64 add_to_stage(Mapping *list, u64 &count, u64 max, const Mapping &m, i64 (*make)(Mapping *list, u64 &count, u64 max, const Mapping &part)) {
  for (u64 at = m.start; at < m.end;) {
    Mapping part{at, m.end, 0, m.kind, m.flags, 0, 0};
    u64 next = m.end;
    for (u64 i = 0; i < count; ++i) {
      if (list[i].end <= at || list[i].start >= m.end) continue;
      part.end = maximum(at, list[i].start);
      next = list[i].end;
      break;
    }
    if (part.start < part.end)
      if (i64 error = make(list, count, max, part)) return error;
    at = next;
  }
  return 0;
}

// Between what came last and what comes now nothing is any more.
static void settle(Staged &staged, u64 until) {
  for (; staged.at < staged.count; ++staged.at) {
    const Mapping &m = staged.list[staged.at];
    u64 start = maximum(m.start, staged.next), end = minimum(m.end, until);
    if (start < end) sys(nr_madvise, start, end - start, 4);            // MADV_DONTNEED
    if (m.end > until) break;
  }
}

bool stands_in(const Staged &staged, u64 at, u64 end) {
  for (u64 i = staged.at; i < staged.count && staged.list[i].start <= at && at < end; ++i) at = maximum(at, staged.list[i].end);
  return at >= end;
}

i64 receive_pages(int fd, const RecordHeader &header, uint8_t *scratch, Staged *staged) {
  constexpr u64 worth = 16 * kPage;
  auto *runs = reinterpret_cast<PageRun *>(scratch);
  auto *iov = reinterpret_cast<IoVec *>(runs + kRunsMax);
  if (!header.count || header.count > kRunsMax || header.length < header.count * sizeof(PageRun)) return -EPROTO_;
  if (i64 error = receive_all(fd, runs, header.count * sizeof(PageRun))) return error;
  u64 bytes = 0;
  u32 parts = 0;
  for (u32 i = 0; i < header.count; ++i) {
    const u64 at = runs[i].address & ~(kStands | kGuard), length = runs[i].length;
    const bool stands = runs[i].address & kStands, guards = runs[i].address & kGuard;
    if (touches_stub(at, length) || at % kPage || (guards ? length % kPage != 0 : stands ? !staged || length % kPage : length > kRunMax)) return -EPROTO_;
    if (staged) {
      if (at < staged->next) return -EPROTO_;
      settle(*staged, at);
      staged->next = at + length;
    }
    if (guards) {
      const i64 error = sys(nr_madvise, at, length, 102);                // MADV_GUARD_INSTALL
      // Home has the program back whatever its kernel knows: as nothing, then. A hosting node without them refuses it.
      if (error && Side(control().side) == Side::guest) return error;
      if (error) sys(nr_madvise, at, length, 4);                         // MADV_DONTNEED
      continue;
    }
    if (stands) {
      if (!stands_in(*staged, at, at + length)) return -EPROTO_;
      continue;
    }
    // Faults would take as long as the copying does.
    if (length >= worth) sys(nr_madvise, at, length, 23);               // MADV_POPULATE_WRITE (5.14)
    iov[parts++] = {at, length};
    bytes += length;
  }
  if (bytes + header.count * sizeof(PageRun) != header.length) return -EPROTO_;
  return receive_all(fd, iov, parts);
}

void settle_rest(Staged &staged) { settle(staged, ~0ull); }

// A slot, and those below it: the sides use different ones (a vfork child's is its parent's only away), but everybody walks over all of them.
bool map_slot(u64 index) {
  Control &c = control();
  if (index >= kMaxSlots) return false;
  if (Side(c.side) == Side::guest && load(&c.phase) == u32(Phase::away)) hold_limits(maximum<u64>(index + 1, c.slots));
  for (u64 i = minimum<u64>(index, c.slots); i <= index; ++i) {
    if (Side(c.side) == Side::guest) {                                  // its place is reserved (moshusk.cc)
      if (sys(nr_mprotect, address(slot_at(i)), kSlotSize, prot_read | prot_write)) return false;
      continue;
    }
    auto map = [&] { return sys(nr_mmap, address(slot_at(i)), kSlotSize, prot_read | prot_write, map_private | map_anonymous | map_fixed_noreplace | map_noreserve, u64(-1), 0); };
    i64 at = map();
    if (at == -ENOMEM_) {
      WithoutLimits lifted;
      at = map();
    }
    if (at != i64(address(slot_at(i))) && at != -EEXIST_) return false;
  }
  return true;
}

}  // namespace mosrun
