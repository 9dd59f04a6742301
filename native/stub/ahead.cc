// Guest: most of its memory is copied to where it is to go while it runs. By a process of its own that shares memory and descriptors with the program's,
// so that no thread of the program's does it, and none of its processor time is counted; it sends from place, in rounds, what has changed since it was
// last sent. What changes after that goes when all stand still (send_changes).
//
//   home             guest                   copier                    home, or the next node
//     order ───────▶ │── begins ───────────▶ │── stage, pages … ─────▶ │ takes them into place
//                    │ runs                  │── changed pages … ────▶ │
//                    │                       │── ahead ──────────────▶ │ ── has come ──▶ the order to go
#include "../engine/known.h"
#include "../engine/packing.h"
#include "book.h"
#include "pagemap.h"
#include "stub.h"

namespace mosrun {

namespace {

constexpr i64 kChannelPatience = 3'000'000'000;            // ns
constexpr i64 kSendPatience = 10000;                       // ms without progress
constexpr u64 kPart = 512 << 10;                           // of a record: home holds a lock while it comes
constexpr u64 kLittle = 256 << 10;                         // bytes of a round after which the rest may as well follow
constexpr u32 kRoundsMax = 12;
constexpr u64 kWide = 16 << 20;                            // bytes after which it is worth further channels
constexpr u64 kWriteProtectAsync = 1 << 15;                // userfaultfd(2); Debian 12's headers are of 6.1
constexpr u64 kRegister = 0xc020aa00, kUnregister = 0x8010aa01, kModeWriteProtect = 2;

struct Range { u64 start, end; };
constexpr u64 kWatchedMax = (kAheadSize - kAheadStack - kAheadScratch - kAheadList) / sizeof(Range);

bool stands_still(const Process &p) { return load(&p.want_park) || !load(&p.threads); }

i64 await_channel(Spare &mine, u32 number, int &channel, i64 patience) {
  Control &c = control();
  for (const i64 until = now() + patience; !stands_still(c.process);) {
    {
      Lock lock(&c.lock);
      PoolMessage message{};
      int fd;
      while ((mine.fd < 0 || mine.index != number) && next_in_pool(message, fd, 0) == 0)
        if (fd >= 0 && message.kind != ChannelKind::memory && (message.kind != ChannelKind::spare || message.owner != c.pid || !keep_spare({fd, message.index}))) sys(nr_close, u64(fd));
      if (mine.fd >= 0 && mine.index == number) return channel = mine.fd, 0;
    }
    if (now() >= until) return -ETIMEDOUT_;
    TimeSpec pause{0, 200000};
    sys(nr_nanosleep, address(&pause), 0);
  }
  return -EINTR_;
}

// A record of pages as it is put together, and all else that a round needs.
struct Copier {
  Streams to{{-1}, 1, 0};
  int watch = -1, maps = -1, pagemap = -1;
  PageRegion *found;
  PageRun *runs;
  IoVec *iov;
  uint8_t *rest;
  u64 room;
  Range *watched;
  u64 watches = 0, count = 0, size = 0, sent = 0;
  bool home = false;
  u32 passes = 0, passed = 0;                              // so many pieces home is not asked for, since it had little of one before; of them gone
  bool asks = false, keyed = false;
  PageKey key;
  Packing packing;

  Copier() {
    uint8_t *at = ahead_scratch();
    found = reinterpret_cast<PageRegion *>(at);
    runs = reinterpret_cast<PageRun *>(found + kRunsMax);
    iov = reinterpret_cast<IoVec *>(runs + kRunsMax);
    rest = reinterpret_cast<uint8_t *>(iov + kRunsMax + 2);
    room = kAheadScratch - u64(rest - at);
    static_assert(kRunsMax * (sizeof(PageRegion) + sizeof(PageRun) + sizeof(IoVec)) + 2 * sizeof(IoVec) + 2 * kPackedMax + sizeof(lz4::Table) <= kAheadScratch);
    watched = reinterpret_cast<Range *>(ahead_scratch() + kAheadScratch + kAheadList);
  }

  bool watches_all(u64 start, u64 end) const {
    for (u64 i = 0; i < watches; ++i)
      if (watched[i].start <= start && end <= watched[i].end) return true;
    return false;
  }
  void forget(u64 start, u64 end) {
    for (u64 i = 0; i < watches;)
      if (watched[i].start < end && start < watched[i].end) watched[i] = watched[--watches];
      else ++i;
  }
  bool begin_watch(u64 start, u64 end) {
    struct { u64 start, length, mode, ioctls; } range{start, end - start, kModeWriteProtect, 0};
    forget(start, end);
    if (watches == kWatchedMax || sys(nr_ioctl, u64(watch), kRegister, address(&range))) return false;
    watched[watches++] = {start, end};
    return true;
  }
  // All of it counts as changed from here on.
  void end_watch(u64 start, u64 end) {
    struct { u64 start, length; } range{start, end - start};
    sys(nr_ioctl, u64(watch), kUnregister, address(&range));
    forget(start, end);
  }

  // Memory that the program gives up meanwhile cannot be sent, but has been announced: zeros take its place, and it counts as changed.
  i64 send_in_place(const PageRun *sends, u64 pieces) {
    u64 total = 0;
    for (u64 i = 0; i < pieces; ++i) {
      total += sends[i].length;
      iov[2 + i] = {sends[i].address, sends[i].length};
    }
    RecordHeader header{Record::pages, u32(pieces), pieces * sizeof(PageRun) + total};
    iov[0] = {address(&header), sizeof header};
    iov[1] = {address(sends), pieces * sizeof(PageRun)};
    u64 parts = pieces + 2;
    IoVec *at = iov;
    bool gone = false;
    const int channel = to.take();
    while (parts) {
      MsgHdr message{};
      message.iov = address(at);
      message.iov_length = gone ? 1 : parts;               // the kernel does not tell which part it is, nor send those before it
      i64 n = sys(nr_sendmsg, u64(channel), address(&message), msg_nosignal);
      if (n == -EINTR_) continue;
      if (n == -EFAULT_ && !gone) {
        gone = true;
        continue;
      }
      if (n == -EFAULT_) {
        zero(rest, minimum(room, at->length));
        IoVec zeros{address(rest), minimum(room, at->length)};
        const u64 part = zeros.length;
        if (i64 error = send_all(channel, &zeros, 1)) return error;
        n = i64(part);
      }
      if (n < 0) return n;
      if (!n) return -EPIPE_;
      for (u64 left = u64(n); left;) {
        u64 part = minimum(left, at->length);
        at->base += part;
        at->length -= part;
        left -= part;
        if (!at->length) ++at, --parts;
      }
    }
    for (u64 i = 0; gone && i < pieces; ++i) end_watch(sends[i].address, sends[i].address + sends[i].length);
    return 0;
  }

  // A piece from the front of it, packed if that saves enough. From a copy: the program may change or give up its memory at any moment.
  i64 send_packed(PageRun *&sends, u64 &pieces, u64 &bytes) {
    uint8_t *plain = rest, *packed = rest + kPackedMax;
    auto &table = *reinterpret_cast<lz4::Table *>(packed + kPackedMax);
    PageRun some[kPackedMax / kPage];
    u64 taken = 0, filled = 0;
    while (pieces && filled < kPackedMax) {
      const u64 part = minimum<u64>(kPackedMax - filled, sends->length);
      iov[taken] = {sends->address, part};
      some[taken++] = {sends->address, part};
      filled += part;
      sends->address += part;
      sends->length -= part;
      if (!sends->length) ++sends, --pieces;
    }
    bytes -= filled;
    IoVec into{address(plain), filled};
    if (sys(nr_process_vm_readv, u64(sys(nr_gettid)), address(&into), 1, address(iov), taken, 0) != i64(filled)) return send_in_place(some, taken);
    const i64 began = now();
    const u32 n = lz4::pack(plain, u32(filled), packed, u32(filled - filled / kPackedWorth), table);
    packing.tried(u32(filled), n, u64(now() - began));
    if (!n) return send_in_place(some, taken);
    RecordHeader header{Record::packed, u32(taken), taken * sizeof(PageRun) + n};
    IoVec parts[3] = {{address(&header), sizeof header}, {address(some), taken * sizeof(PageRun)}, {address(packed), n}};
    return send_all(to.take(), parts, 3);
  }
  i64 send_pages() {
    PageRun *sends = runs;
    u64 pieces = count, bytes = size;
    while (pieces && packing.wants(bytes))
      if (i64 error = send_packed(sends, pieces, bytes)) return error;
    while (pieces) {
      PageRun first{sends->address, minimum(sends->length, kPart)};
      u64 n = 0, part = 0;
      while (n < pieces && part + sends[n].length <= kPart) part += sends[n++].length;
      if (i64 error = n ? send_in_place(sends, n) : send_in_place(&first, 1)) return error;
      sends += n;
      pieces -= n;
      if (!n) sends->address += kPart, sends->length -= kPart;
    }
    return 0;
  }

  // The hashes of all pages to be sent. From a copy, as they are packed; what changes meanwhile counts as changed. 0: some of it is gone.
  u64 hash_all(PageHash *hashes) {
    u64 pages = 0;
    for (u64 i = 0; i < count; ++i)
      for (u64 done = 0; done < runs[i].length;) {
        const u64 part = minimum<u64>(runs[i].length - done, kPackedMax);
        IoVec from{runs[i].address + done, part}, into{address(rest), part};
        if (sys(nr_process_vm_readv, u64(sys(nr_gettid)), address(&into), 1, address(&from), 1, 0) != i64(part)) return 0;
        for (u64 j = 0; j < part; j += kPage) hashes[pages++] = hash_page(rest + j, key);
        done += part;
      }
    return pages;
  }
  // Takes out what is known. A list that gets too long by it keeps the rest.
  void leave_out(const uint8_t *known) {
    auto *left = reinterpret_cast<PageRun *>(found);
    u64 n = 0, page = 0;
    for (u64 i = 0; i < count; ++i) {
      const u64 end = runs[i].address + runs[i].length;
      bool open = false;
      for (u64 at = runs[i].address; at < end; at += kPage, ++page) {
        const bool wanted = !(known[page / 8] >> page % 8 & 1) || n + (count - i) >= kRunsMax;
        if (!wanted) size -= kPage;
        else if (open) left[n - 1].length += kPage;
        else left[n++] = {at, kPage};
        open = wanted;
      }
    }
    copy(runs, left, n * sizeof(PageRun));
    count = n;
  }
  // Home may still have what it was.
  i64 ask_for_known() {
    constexpr u64 few = 64 * kPage;
    if (!asks || size < few) return 0;
    if (passed < passes) return ++passed, 0;
    if (!keyed) {
      sys(nr_getrandom, address(&key), sizeof key, 0);
      if (i64 error = send_record(to.take(), Record::known, 0, &key, sizeof key)) return error;
      keyed = true;
    }
    auto *hashes = reinterpret_cast<PageHash *>(rest + kPackedMax);
    const u64 pages = hash_all(hashes);
    if (!pages) return 0;
    const int channel = to.take();
    RecordHeader header{Record::known, u32(count), count * sizeof(PageRun) + pages * sizeof(PageHash)};
    IoVec parts[3] = {{address(&header), sizeof header}, {address(runs), count * sizeof(PageRun)}, {address(hashes), pages * sizeof(PageHash)}};
    if (i64 error = send_all(channel, parts, 3)) return error;
    uint8_t known[kKnownMax / 8];
    RecordHeader answer{};
    if (i64 error = receive_record(channel, answer, kChannelPatience / 1'000'000)) return error;
    if (answer.type != Record::known || answer.count != pages || answer.length != (pages + 7) / 8) return -EPROTO_;
    if (i64 error = receive_all(channel, known, answer.length)) return error;
    const u64 before = size;
    leave_out(known);
    passed = 0;
    passes = size > before / 8 * 7 ? minimum(passes * 2 + 1, 3u) : 0;
    return 0;
  }

  void ask_link() {
    uint8_t info[Packing::kInfoSize];
    u32 length = sizeof info;
    Packing::Rate rate;
    for (u32 i = 0; i < to.count; ++i)
      if (!sys(nr_getsockopt, u64(to.fds[i]), 6, 11, address(info), address(&length)) && length == sizeof info) rate.add(info);   // IPPROTO_TCP, TCP_INFO
    packing.hear(rate);
  }
  // The next node has had those that are there before this one's first byte.
  i64 widen_on() {
    Control &c = control();
    u32 more = 0;
    for (int channel; more + 1 < kStreams && await_channel(c.onward[more + 1], c.onward[0].index + more + 1, channel, 0) == 0; ++more) {
      to.fds[more + 1] = channel;
      set_timeout(channel, kSendPatience, true);
    }
    return more ? over(more, send_record(to.fds[0], Record::streams, more, nullptr, 0)) : 0;
  }
  i64 over(u32 more, i64 error) {
    to.count = more + 1;
    to.turn = 0;
    return error;
  }
  i64 narrow() {
    if (to.count == 1 || home) return 0;
    const i64 error = send_record(to.take(), Record::streams, 0, nullptr, 0);
    for (u32 i = 1; i < to.count; ++i) sys(nr_close, u64(to.fds[i])), control().onward[i].fd = -1;
    return over(0, error);
  }
  // Home opens as many more as it can.
  i64 widen_home() {
    const int first = to.fds[0];
    RecordHeader answer{};
    if (i64 error = send_record(first, Record::streams, kStreams - 1, nullptr, 0)) return error;
    if (i64 error = receive_record(first, answer, kChannelPatience / 1'000'000)) return error;
    if (answer.type != Record::streams || answer.count >= kStreams || answer.length) return -EPROTO_;
    for (u32 i = 1; i <= answer.count; ++i) {
      if (i64 error = await_channel(control().ahead[i], control().ahead[0].index + i * kStageStream, to.fds[i], kChannelPatience)) return error;
      set_timeout(to.fds[i], kSendPatience, true);
    }
    return over(answer.count, 0);
  }
  i64 flush() {
    if (!count) return 0;
    const u64 all = size;
    if (i64 error = ask_for_known()) return error;
    i64 error = send_pages();
    if (!error && sent < kWide && sent + all >= kWide) error = home ? widen_home() : widen_on();
    sent += all;
    if (control().packs && packing.asks(sent)) ask_link();
    control().ahead_bytes = sent;
    count = size = 0;
    return error;
  }
  i64 add(u64 start, u64 end) {
    while (start < end) {
      const u64 most = asks ? kKnownMax * kPage : kPart;
      u64 part = minimum<u64>(end - start, most - size);
      if (count && runs[count - 1].address + runs[count - 1].length == start) runs[count - 1].length += part;
      else runs[count++] = {start, part};
      size += part;
      start += part;
      if (count == kRunsMax || size >= most)
        if (i64 error = flush()) return error;
    }
    return 0;
  }

  // Pages that are there, protected from now on. -EPERM: not all of it is watched.
  i64 send_present(u64 start, u64 end) {
    PageRegion there[64];
    while (start < end) {
      PageScan scan = scan_present(start, end, there, 64, page_is_zero | page_is_guard, kProtectMatching | kCheckProtection);
      i64 n = scan_pages(pagemap, scan);
      if (n < 0) return n;
      for (i64 i = 0; i < n; ++i)
        if (i64 error = add(there[i].start, there[i].end)) return error;
      if (scan.walk_end <= start) return 0;
      start = scan.walk_end;
    }
    return 0;
  }

  i64 send_changed(u64 start, u64 end) {
    while (start < end) {
      PageScan scan = scan_changed(start, end, found, kRunsMax);   // as send_changes (memory.cc)
      i64 n = sys(nr_ioctl, u64(pagemap), kPagemapScan, address(&scan));
      if (n < 0) return n;
      for (i64 i = 0; i < n; ++i)
        if (i64 error = send_present(found[i].start, found[i].end)) return error;
      if (scan.walk_end <= start) return 0;
      start = scan.walk_end;
    }
    return 0;
  }

  i64 send_mapping(const Mapping &m) {
    bool known = watches_all(m.start, m.end);
    if (!known) {
      if (!begin_watch(m.start, m.end)) return 0;           // gone meanwhile, or of a kind that cannot be
      Mapping stage{m.start, m.end, 0, Kind::anon, m.flags, 0, 0};
      if (i64 error = flush()) return error;
      if (i64 error = send_record(to.take(), Record::stage, 1, &stage, sizeof stage)) return error;
    }
    i64 error = known ? send_changed(m.start, m.end) : send_present(m.start, m.end);
    if (error != -EPERM_ && error != -EFAULT_ && error != -EINVAL_) return error;
    end_watch(m.start, m.end);                              // another stands in its place: next round
    return 0;
  }
};

i64 open_watch(Copier &copier) {
  Control &c = control();
  struct { u64 api, features, ioctls; } api{0xaa, kWriteProtectAsync, 0};
  if (fails(Fault::ahead_unwatched)) return -EINVAL_;
  i64 fd = sys(nr_userfaultfd, 0x80000 | 0x800 | 1);        // O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY
  if (failed(fd)) return fd;
  c.watch = copier.watch = int(fd);
  if (i64 error = sys(nr_ioctl, u64(fd), 0xc018aa3f, address(&api))) return error;
  copier.maps = c.copier_files[0] = int(sys(257, kOwnFile, kOwnMaps, 0x80000));
  copier.pagemap = c.copier_files[1] = int(sys(257, kOwnFile, kOwnPagemap, 0x80000));
  return copier.maps < 0 || copier.pagemap < 0 ? -EIO_ : 0;
}

// Up to where the mapping is of one kind, and from where it goes on.
// Files, shared memory and the like look like any other memory here; the book knows them.
Mapping next_known(u64 at, u64 end) {
  Control &c = control();
  Lock lock(&c.lock);
  Mapping next{end, end, 0, Kind::other, 0, 0, 0};
  auto *book = pointer<Mapping>(base() + kBookOffset);
  for (u64 i = 0; i < c.book_entries; ++i)
    if (book[i].end > at && book[i].start < next.start) next = book[i];
  next.flags = 0;
  const u64 heap = c.mm.start_brk, heap_end = align_up(u64(sys(nr_brk, 0)), kPage);
  const bool of_heap = at >= align_down(heap, kPage) && at < heap_end;
  if (of_heap) next.flags = kHeap;
  const u64 border = of_heap ? heap_end : at < heap ? align_down(heap, kPage) : end;
  if (next.start > border) next.start = next.end = border;
  return next;
}

i64 copy_all(Copier &copier) {
  Control &c = control();
  settle_left();
  u64 before = 0;
  for (u32 round = 0; round < kRoundsMax; ++round) {
    u64 count = read_mappings(copier.maps, ahead_list(), kAheadListMax, copier.rest, copier.room);
    if (!count) return -ENOMEM_;                            // more than there is room to note
    const u64 from = copier.sent;
    for (u64 i = 0; i < count; ++i) {
      const Mapping &m = ahead_list()[i];
      if (m.kind != Kind::anon || !(m.prot & prot_read) || m.end > 1ull << 47) continue;
      for (u64 at = m.start; at < m.end;) {
        Mapping known = next_known(at, m.end);
        if (stands_still(c.process)) return -EINTR_;
        if (known.start > at)
          if (i64 error = copier.send_mapping({at, known.start, 0, Kind::anon, uint16_t(known.flags & kHeap), 0, 0})) return error;
        if (copier.sent && fails(Fault::ahead_dies)) return -EIO_;
        at = known.end;
      }
    }
    if (i64 error = copier.flush()) return error;
    copier.asks = false;                                    // what has changed since home does not have
    const u64 bytes = copier.sent - from;
    if (bytes <= kLittle || (before && bytes > before / 10 * 7)) break;
    before = bytes;
  }
  return 0;
}

void close_files() {
  for (int &fd : control().copier_files) {
    if (fd >= 0) sys(nr_close, u64(fd));
    fd = -1;
  }
}

// What grows downwards is made otherwise by who takes it (arrive.cc, home.cc), and only the long list tells it.
bool may_copy() { return !control().advised; }

constexpr u32 kFromHome = 1 << 16, kKept = 1 << 17;         // beside the number

void copy(void *argument) {
  block_all_signals();
  Control &c = control();
  const u32 number = u32(reinterpret_cast<u64>(argument)) & 0xffff;
  const bool home = u32(reinterpret_cast<u64>(argument)) & kFromHome;
  Copier copier;
  int &channel = copier.to.fds[0];
  copier.home = home;
  copier.asks = u32(reinterpret_cast<u64>(argument)) & kKept;
  if (await_channel(home ? c.ahead[0] : c.onward[0], home ? number : number * kStreams, channel, kChannelPatience) == 0) {
    set_timeout(channel, kSendPatience, true);
    const bool all = may_copy() && open_watch(copier) == 0 && copy_all(copier) == 0;
    copier.narrow();
    if (all && send_record(copier.to.take(), Record::ahead, number, nullptr, 0) == 0) store(&c.copied, number);
    else if (home) sys(nr_shutdown, u64(channel), 2);
    else send_record(channel, Record::ahead, 0, nullptr, 0);   // the next node takes the memory over it all the same
  }
  close_files();
  for (;;) sys(nr_exit, 0);
}

}  // namespace

// The kernel tells of its end, and not as among threads (FUTEX_PRIVATE_FLAG).
static void await_copier() {
  volatile u32 *word = &control().copying;
  TimeSpec t{0, 20000000};
  for (u32 seen; (seen = load(word));) sys(nr_futex, address(const_cast<u32 *>(word)), 0, seen, address(&t));
}

void copy_ahead(u32 number, bool home, bool kept) {
  Control &c = control();
  if (load(&c.copying) || load(&c.copied) == number) return;   // asked for again
  end_copying();
  CloneArgs args{};
  args.flags = 0x100 | 0x200 | 0x400 | 0x8000 | 0x200000 | 0x100000;   // VM FS FILES PARENT CHILD_CLEARTID PARENT_SETTID: a child of the keeper
  args.child_tid = args.parent_tid = address(const_cast<u32 *>(&c.copying));
  args.stack = base() + kAheadOffset;
  args.stack_size = kAheadStack - 64;
  // A number that no child of the program's is about to get, which would find it taken.
  int number_here[1];
  args.set_tid = address(number_here);
  args.set_tid_size = 1;
  store(&c.copying, 1);
  i64 made = -EEXIST_;
  for (number_here[0] = 2; made == -EEXIST_ && number_here[0] < 10; ++number_here[0])
    made = clone_with_stack(nr_clone3, address(&args), sizeof args, 0, copy, pointer<void>(number | (home ? kFromHome : 0) | (kept ? kKept : 0)));
  if (failed(made)) store(&c.copying, 0);
}

bool copied_ahead(u32 number) {
  Control &c = control();
  await_copier();
  return number && load(&c.copied) == number;
}

void end_copying() {
  Control &c = control();
  for (const Spare &s : c.ahead)
    if (s.fd >= 0) sys(nr_shutdown, u64(s.fd), 2);
  await_copier();
  store(&c.copied, 0);
  store(&c.stage_at_home, 0);
  c.ahead_bytes = 0;
  if (c.watch >= 0) sys(nr_close, u64(c.watch));
  c.watch = -1;
  for (Spare &s : c.ahead)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
}

// In a child of the process, which has copies of its descriptors.
void leave_copier_to_parent() {
  Control &c = control();
  c.copying = 0;
  close_files();
  end_copying();
}

}  // namespace mosrun
