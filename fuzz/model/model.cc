#include "engine/known.h"
#include "model.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>

namespace mosrun::model {

World world;
jmp_buf ending;
char *stack_top;
volatile End how;

namespace {

constexpr u64 kArena = 0x310000000000, kArenaSize = 1ull << 30;
constexpr unsigned kPatience = 20000, kWaits = 40, kWaitsBuilding = 300;   // calls, and those that wait: a thread that only waits ends here
constexpr u64 kUserEnd = 1ull << 47;

bool mapped_slots[kMaxSlots];
std::vector<u32> slots_to_clear;

void reserve(u64 at, u64 size) {
  void *got = mmap(pointer<void>(at), size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != pointer<void>(at)) {
    perror("the model's memory");
    abort();
  }
}

void poison(u64 from, u64 to) { __asan_poison_memory_region(pointer<void>(from), to - from); }
void unpoison(u64 from, u64 to) { __asan_unpoison_memory_region(pointer<void>(from), to - from); }

// What nothing has to do with is poisoned: the code, gaps, slots that are not mapped, and in those that are all behind the buffer.
void prepare_memory() {
  reserve(kModelBase, kRegionSize);
  reserve(kWindow, kWindowSize);
  reserve(kArena, kArenaSize);
  poison(kModelBase, kModelBase + kControlOffset);
  poison(kModelBase + kControlOffset + align_up(sizeof(Control), 8), kModelBase + kAheadOffset);
  for (u64 i = 0; i < kMaxSlots; ++i) {
    u64 slot = address(slot_at(i));
    poison(slot, slot + kFrameOffset);
    if (i < 4) poison(slot + kStackLow, slot + kSlotSize);
  }
}

bool in(u64 at, u64 n, u64 from, u64 size) { return at - from < size && n <= size - (at - from); }
bool in_region(u64 at) { return at - kModelBase < kRegionSize; }
bool in_window(u64 at) { return at - kWindow < kWindowSize; }
bool in_arena(u64 at) { return at - kArena < kArenaSize; }
bool in_stack(u64 at) { return at >= reinterpret_cast<u64>(__builtin_frame_address(0)) && at < reinterpret_cast<u64>(stack_top); }
bool is_real(u64 at) { return in_region(at) || in_window(at) || in_arena(at) || in_stack(at); }

bool slot_part(u64 at, u64 n) {
  u64 within_slots = at - (kModelBase + kSlotsOffset), index = within_slots / kSlotSize, offset = within_slots % kSlotSize;
  if (at < kModelBase + kSlotsOffset || index >= kMaxSlots || !mapped_slots[index]) return false;
  return in(offset, n, 0, sizeof(Slot)) || in(offset, n, kFrameOffset, kFrameSize) || in(offset, n, kBufferOffset, kBufferSize);
}

// Bytes from a channel go to the lists, the slots, the program's memory, or a variable of the stub: never to its code or its control data.
bool may_receive(u64 at, u64 n) { return in(at, n, kModelBase + kAheadOffset + kAheadStack, kAheadScratch) || in(at, n, kModelBase + kAheadOffset + kAheadStack + kAheadScratch + kAheadList, sizeof(PageKey)) || in(at, n, kModelBase + kBookOffset, kBookSize) || in(at, n, kModelBase + kListOffset, kListSize) || slot_part(at, n); }

const Range *mapping_at(u64 at) {
  for (const Range &m : world.mappings)
    if (at - m.start < m.end - m.start) return &m;
  return nullptr;
}

// How much of [at, at + n) a call may read or write.
u64 accessible(u64 at, u64 n, u32 prot) {
  u64 good = 0;
  while (good < n) {
    const Range *m = mapping_at(at + good);
    if (!m || (m->prot & prot) != prot) break;
    good = std::min(n, m->end - at);
  }
  return good;
}

u64 writable(u64 at, u64 n) {
  if (in_region(at) || in_region(at + n - 1)) {
    require(may_receive(at, n), "bytes of a channel go to the stub's own memory", at, n);
    return n;
  }
  if (in_stack(at) || in_arena(at)) return n;
  return accessible(at, n, prot_write);
}

// A request comes into a variable of the deputy, perhaps in several parts.
void note_request(u64 at, u64 wanted, u64 got) {
  u64 &start = world.asked_at;
  if (wanted == sizeof(Request)) start = at;
  if (!start || at + got != start + sizeof(Request)) return;
  memcpy(&world.asked, pointer<void>(start), sizeof world.asked);
  start = 0;                             // another may come to stand in its place
}

i64 receive(IoVec *iov, u64 count, bool peek) {
  World &w = world;
  if (w.manner.interruptions && w.steps % (w.manner.interruptions + 1u) == 0) return -EINTR_;
  if (!w.left) return w.manner.end ? -i64(w.manner.end) : 0;
  u64 limit = w.manner.portion ? w.manner.portion * 16u : ~0ull, done = 0;
  for (u64 i = 0; i < count && done < w.left && done < limit; ++i) {
    u64 n = std::min<u64>({iov[i].length, w.left - done, limit - done});
    if (!n) continue;
    u64 good = writable(iov[i].base, n);
    if (good && is_real(iov[i].base)) memcpy(pointer<void>(iov[i].base), w.input + done, good);
    done += good;
    if (good < n) {
      if (!done) return -EFAULT_;
      break;
    }
  }
  if (!peek) w.input += done, w.left -= done;
  if (w.side == Side::home && count == 1 && in_stack(iov[0].base)) note_request(iov[0].base, iov[0].length, done);
  return i64(done);
}

int new_descriptor() {
  world.own.push_back(world.descriptors);
  return world.descriptors++;
}

i64 receive_message(int fd, MsgHdr *header, u64 flags) {
  auto *iov = pointer<IoVec>(header->iov);
  require(header->iov_length <= 1024, "more parts than the kernel takes", header->iov_length);
  if (!header->control) {
    if (fd < 0) return -EBADF_;
    return receive(iov, header->iov_length, flags & msg_peek);
  }
  struct { u64 length; u32 level, type; int fd, pad; } rights{20, 1, 1, -1, 0};
  if (world.left && take_byte()) {
    rights.fd = new_descriptor();
    memcpy(pointer<void>(header->control), &rights, sizeof rights);
    header->control_length = sizeof rights;
  } else {
    header->control_length = 0;
  }
  return receive(iov, header->iov_length, false);
}

i64 send_message(int fd, const IoVec *iov, u64 count) {
  if (fd < 0) return -EBADF_;
  Control &c = control();
  u64 total = 0;
  for (u64 i = 0; i < count; ++i) {
    u64 at = iov[i].base, n = iov[i].length;
    if (!n) continue;
    for (u64 token : {address(c.token), address(c.next.token)})
      require(at + n <= token || at >= token + sizeof c.token, "a token goes over a channel", at, n);
    if (is_real(at)) {
      require(in_stack(at) || in_window(at) || in_arena(at) || in(at, n, kModelBase + kBookOffset, kBookSize) || in(at, n, kModelBase + kListOffset, kListSize) || slot_part(at, n), "the stub's own memory goes over a channel", at, n);
      if (void *bad = __asan_region_is_poisoned(pointer<void>(at), n)) violation("memory that is nobody's goes over a channel", u64(bad), at);
      if (world.keep_sent) world.sent.insert(world.sent.end(), pointer<uint8_t>(at), pointer<uint8_t>(at) + n);
    } else if (accessible(at, n, prot_read) < n) {
      return total ? i64(total) : -EFAULT_;
    } else if (world.keep_sent) {
      world.sent.resize(world.sent.size() + n);
    }
    total += n;
  }
  return i64(total);
}

// The model keeps some ranges as they are, whatever the program or its guest asks.
bool is_held(u64 at, u64 size) {
  bool asked = world.asked.op == Op::map || world.asked.op == Op::mirror;
  return (at < world.held_end && at + size > world.held) || (asked && at < kArena + kArenaSize && at + size > kArena);
}

// --- mappings ----------------------------------------------------------------------------------------------------------------
bool taken(u64 start, u64 end) {
  for (const Range &m : world.mappings)
    if (m.start < end && start < m.end) return true;
  return false;
}

void cut(u64 start, u64 end) {
  std::vector<Range> &all = world.mappings;
  for (size_t i = 0; i < all.size(); ++i) {
    Range m = all[i];
    if (m.start >= end || m.end <= start) continue;
    all.erase(all.begin() + i64(i));
    if (m.end > end) all.insert(all.begin() + i64(i), {end, m.end, m.prot, m.grows});
    if (m.start < start) all.insert(all.begin() + i64(i), {m.start, start, m.prot, m.grows});
    i -= 1;
    if (m.start < start) ++i;
    if (m.end > end) ++i;
  }
}

void put(Range fresh) {
  std::vector<Range> &all = world.mappings;
  all.insert(std::upper_bound(all.begin(), all.end(), fresh, [](const Range &a, const Range &b) { return a.start < b.start; }), fresh);
}

bool is_slot(u64 at, u64 size) {
  u64 slots = kModelBase + kSlotsOffset;
  return size == kSlotSize && at >= slots && (at - slots) % kSlotSize == 0 && (at - slots) / kSlotSize < kMaxSlots;
}
// Mapped, or made writable where a guest has reserved it.
bool take_slot(u64 at, u64 size) {
  if (!is_slot(at, size)) return false;
  u64 index = (at - kModelBase - kSlotsOffset) / kSlotSize;
  if (mapped_slots[index]) return true;
  mapped_slots[index] = true;
  slots_to_clear.push_back(u32(index));
  unpoison(at, at + align_up(sizeof(Slot), 8));
  memset(pointer<void>(at), 0, sizeof(Slot));
  return true;
}

i64 map_memory(u64 at, u64 length, u32 prot, u64 flags) {
  World &w = world;
  u64 size = align_up(length, kPage);
  if (!length || size < length) return length ? -ENOMEM_ : -EINVAL_;
  bool fixed = flags & (map_fixed | map_fixed_noreplace);
  if (!fixed) {
    if (size > kArenaSize / 2) return -ENOMEM_;
    if (!at && (flags & map_anonymous) && (prot & prot_write || world.asked.flags & kCut)) {   // the stub's own
      if (w.arena_used + size + kPage > kArenaSize) return -ENOMEM_;
      u64 got = kArena + w.arena_used;
      unpoison(got, got + length);
      poison(got + align_up(length, 8), got + size + 64);
      w.arena_last = got;
      w.arena_used += size + kPage;
      w.arena_live += 1;
      return i64(got);
    }
    at = 0x400000000000;
    for (int tries = 0; taken(at, at + size); at += size)
      if (++tries > 100) return -ENOMEM_;
    put({at, at + size, prot, false});
    return i64(at);
  }
  if (at % kPage) return -EINVAL_;
  if (flags & map_fixed_noreplace && is_slot(at, size) && mapped_slots[(at - kModelBase - kSlotsOffset) / kSlotSize]) return -EEXIST_;
  if (flags & map_fixed_noreplace && take_slot(at, size)) return i64(at);
  require(!overlaps_region(at, size), "a mapping over the stub", at, size);
  if (at > kUserEnd || size > kUserEnd - at || is_held(at, size)) return -ENOMEM_;
  if (world.window_only && !in(at, size, kWindow, kWindowSize)) return -ENOMEM_;
  if (flags & map_fixed_noreplace) {
    if (taken(at, at + size)) return -EEXIST_;
  } else {
    cut(at, at + size);
  }
  put({at, at + size, prot, bool(flags & map_growsdown)});
  if (in_window(at)) memset(pointer<void>(at), 0, std::min(size, kWindow + kWindowSize - at));
  return i64(at);
}

i64 unmap(u64 at, u64 length) {
  if (!length || is_held(at, length)) return -EINVAL_;
  if (in_arena(at)) {
    require(world.arena_live > 0, "unmapped twice", at);
    poison(at, at + align_up(length, kPage));
    if (!--world.arena_live) world.arena_used = 0;
    return 0;
  }
  u64 size = align_up(length, kPage);
  if (at % kPage || !length || size < length || at > kUserEnd || size > kUserEnd - at) return -EINVAL_;
  bool own = world.building && at == kModelBase + kVdsoOffset;
  require(own || !overlaps_region(at, size), "the stub is unmapped", at, size);
  cut(at, at + size);
  return 0;
}

i64 protect(u64 at, u64 length, u64 prot) {
  if (in_arena(at)) return 0;                                            // what is around a request's buffers
  bool own = (at == kModelBase && length == kCodeSize) || (at == kModelBase + kCodeSize && length == kSlotsOffset + kSlotSize - kCodeSize);
  if (own || (Side(control().side) == Side::guest && take_slot(at, length))) return 0;
  u64 size = align_up(length, kPage);
  if (at % kPage || size < length || prot & ~7ull) return -EINVAL_;
  require(!overlaps_region(at, size), "the stub's protection changes", at, size);
  if (accessible(at, size, 0) < size) return -ENOMEM_;
  for (size_t i = 0; i < world.mappings.size(); ++i) {
    Range m = world.mappings[i];
    if (m.start >= at + size || m.end <= at || m.prot == prot) continue;
    u64 from = std::max(m.start, at), to = std::min(m.end, at + size);
    cut(from, to);
    put({from, to, u32(prot), m.grows});
  }
  return 0;
}

i64 advise(u64 at, u64 length, u64 advice) {
  u64 size = align_up(length, kPage);
  if (at % kPage || size < length) return -EINVAL_;
  require(!overlaps_region(at, size), "pages of the stub are given up", at, size);
  const bool for_fork_or_core = advice == 10 || advice == 11 || (advice >= 16 && advice <= 19);   // MADV_DONTFORK ... MADV_KEEPONFORK
  require(advice == 4 || advice == 9 || advice == 23 || advice == 24 || for_fork_or_core || world.asked.op == Op::mirror || world.asked.op == Op::map || world.side == Side::guest, "unknown advice", advice);
  return accessible(at, size, 0) < size ? -ENOMEM_ : 0;
}

std::string maps_text() {
  if (!world.maps.empty()) return world.maps;
  std::string text;
  for (const Range &m : world.mappings) {
    char line[128];
    snprintf(line, sizeof line, "%lx-%lx %c%c%cp 00000000 00:00 0 %s\n", m.start, m.end, m.prot & 1 ? 'r' : '-', m.prot & 2 ? 'w' : '-', m.prot & 4 ? 'x' : '-', m.grows ? "[stack]" : "");
    text += line;
  }
  return text;
}

struct File { bool open; u64 at; std::string text; };
File maps_file;

i64 read_file(u64 to, u64 n) {
  if (!maps_file.open) maps_file = {true, 0, maps_text()};
  u64 part = std::min<u64>(n, maps_file.text.size() - maps_file.at);
  const u64 ahead = base() + kAheadOffset;
  require(slot_part(to, n) || in_stack(to) || in_arena(to) || (to >= ahead && to + n <= ahead + kAheadSize), "a list is read to where it should not be", to, n);
  memcpy(pointer<void>(to), maps_file.text.data() + maps_file.at, part);
  maps_file.at += part;
  return i64(part);
}

// Where a call of the program's own may point anywhere.
void clear(u64 at, u64 n) {
  if (in_stack(at) || slot_part(at, n) || (in_region(at) && n <= 32) || (in_window(at) && accessible(at, n, prot_write) == n)) memset(pointer<void>(at), 0, n);
}

i64 control_io(u64 fd, u64 request, u64 at) {
  switch (request) {
    case 0xc020aa00: {                                                  // UFFDIO_REGISTER
      u64 range[2];
      memcpy(range, pointer<void>(at), sizeof range);
      require(!overlaps_region(range[0], range[1]), "the stub's pages are watched", range[0], range[1]);
      return accessible(range[0], range[1], 0) < range[1] ? -EINVAL_ : 0;
    }
    case 0xc028aa03: {                                                  // UFFDIO_COPY
      struct { u64 to, from, length, mode; i64 copied; } ask;
      memcpy(&ask, pointer<void>(at), sizeof ask);
      require(slot_part(ask.from, ask.length), "pages are filled from elsewhere", ask.from, ask.length);
      require(!overlaps_region(ask.to, ask.length), "pages of the stub are filled", ask.to, ask.length);
      if (ask.to % kPage || ask.length % kPage || !ask.length) return -EINVAL_;
      if (accessible(ask.to, ask.length, 0) < ask.length) return -ENOENT_;
      ask.copied = i64(ask.length);
      memcpy(pointer<void>(at), &ask, sizeof ask);
      return 0;
    }
    case 0xc0606610: return -25;                                        // PAGEMAP_SCAN: an older kernel
    case 0xc018aa3f: return 0;                                          // UFFDIO_API
    default: violation("an unknown control call", fd, request);
  }
}

// --- what a deputy does for its guest ----------------------------------------------------------------------------------------
struct Buffers {
  u64 from, to;
  bool cut;
  bool hold(u64 at, u64 n) const { return at >= from && at <= to && n <= to - at; }
  // Where memory ends behind a buffer the kernel stops, whatever the length.
  bool reach(u64 at, u64 n) const { return hold(at, n) || (cut && hold(at, 0)); }
};

Buffers request_buffers() {
  const Request &r = world.asked;
  constexpr u64 gap = 256 << 10;
  if (r.flags & kCut) return {world.arena_last, world.arena_last + align_up(r.in_size, kPage) + gap + align_up(r.out_size, kPage) + gap, true};
  u64 need = align_up((r.in_align & 511) + u64(r.in_size), 512) + (r.out_align & 511) + r.out_size;
  u64 from = need > kBufferSize ? world.arena_last : address(buffer(this_slot()));
  return {from, from + need, false};
}

void check_list(const Buffers &b, u64 at, u64 count) {
  if (count > 1024) return;                                              // the kernel refuses
  require(b.hold(at, count * 16), "a list of parts is beyond the request", at, count);
  for (u64 i = 0; i < count; ++i) {
    IoVec part;
    memcpy(&part, pointer<void>(at + i * 16), sizeof part);
    if (part.length) require(b.reach(part.base, part.length), "a part is beyond the request", part.base, part.length);
  }
}

void check_message(const Buffers &b, u64 at) {
  require(b.hold(at, sizeof(MsgHdr)), "a message is beyond the request", at);
  MsgHdr m;
  memcpy(&m, pointer<void>(at), sizeof m);
  if (m.name) require(b.hold(m.name, std::min<u64>(m.name_length, 128)), "a name is beyond the request", m.name, m.name_length);
  if (m.control) require(b.hold(m.control, m.control_length), "control data are beyond the request", m.control, m.control_length);
  if (m.iov_length) check_list(b, m.iov, m.iov_length);
}

u32 word_at(const Buffers &b, u64 at) {
  require(b.hold(at, 4), "a length is beyond the request", at);
  u32 value;
  memcpy(&value, pointer<void>(at), 4);
  return value;
}

u64 length_of(const Buffers &b, u64 nr, const syscalls::Arg &arg, const u64 *args, u64 at) {
  using syscalls::Len;
  switch (arg.len) {
    case Len::none: return 0;
    case Len::fixed: return arg.size;
    case Len::arg: case Len::ret: {
      u64 count = syscalls::int_args[nr] >> arg.a & 1 ? u32(args[arg.a]) : args[arg.a], bytes;
      return __builtin_mul_overflow(count, u64(arg.size), &bytes) || bytes > ~0ull - arg.plus ? ~0ull : bytes + arg.plus;
    }
    case Len::pointer: {
      u32 room = args[arg.a] && args[arg.a] != kBadPointer ? word_at(b, args[arg.a]) : 0;
      return i32(room) < 0 ? 0 : room;                                   // refused before anything is read
    }
    case Len::first: {
      u32 first = word_at(b, at);
      return std::min<u64>(first ? first : arg.size, 4096) + arg.plus;
    }
    case Len::fdset: return i32(args[0]) <= 0 ? 0 : std::min<u64>((u64(i32(args[0])) + 63) / 64 * 8, 8192);
  }
  return 0;
}

void check_argument(const Buffers &b, u64 nr, const u64 *args, unsigned i) {
  using syscalls::Dir;
  syscalls::Arg arg = syscalls::calls[nr].arg[i];
  u64 at = args[i];
  if (arg.dir == Dir::command) {
    syscalls::Command c = syscalls::command_of(syscalls::List(arg.plus), u32(args[arg.a]));
    require(c.place != syscalls::Place::comehome, "a command that is not for home", nr, args[arg.a]);
    if (c.dir == Dir::value || c.dir == Dir::fd) return;
    arg = {c.dir, syscalls::Len::fixed, 0, 0, c.size};
  }
  if (arg.dir == Dir::value || arg.dir == Dir::fd || arg.dir == Dir::dirfd || !at || at == kBadPointer) return;
  if (arg.dir == Dir::string) {
    require(b.hold(at, 1) && memchr(pointer<void>(at), 0, b.to - at), "a string is beyond the request", nr, at);
  } else if (arg.dir == Dir::iovec_in || arg.dir == Dir::iovec_out) {
    check_list(b, at, args[arg.a]);
  } else if (arg.dir == Dir::msg_in || arg.dir == Dir::msg_out) {
    check_message(b, at);
  } else if (arg.dir == Dir::sigset_in && arg.size == 16) {
    require(b.hold(at, 16), "a mask is beyond the request", nr, at);
    u64 set;
    memcpy(&set, pointer<void>(at), 8);
    if (set) require(b.hold(set, 8), "a mask is beyond the request", nr, set);
  } else {
    bool counted = arg.len == syscalls::Len::arg || arg.len == syscalls::Len::ret;
    u64 n = length_of(b, nr, arg, args, at);
    require(counted ? b.reach(at, n) : b.hold(at, n), "a structure is beyond the request", nr, i);
  }
}

unsigned most_waits() { return world.building ? kWaitsBuilding : kWaits; }

i64 deputy_call(i64 nr, const u64 *args) {
  bool exec = world.asked.op == Op::exec;
  require(exec ? nr == nr_execve || nr == nr_execveat : syscalls::deputy_may(u64(nr)), "a call that the deputy may not make", u64(nr));
  for (unsigned i = 0; i < 6; ++i)
    if (syscalls::fd_args[nr] >> i & 1) {
      int fd = int(args[i]);
      require(std::find(world.own.begin(), world.own.end(), fd) == world.own.end(), "a call on the stub's own descriptors", u64(nr), u64(fd));
    }
  Buffers b = request_buffers();
  if (exec) {
    u64 first = nr == nr_execve ? 0 : 1;
    require(!args[first] || args[first] == kBadPointer || b.hold(args[first], 0), "a name is beyond the request", args[first]);
  } else {
    for (unsigned i = 0; i < syscalls::calls[nr].nargs; ++i) check_argument(b, u64(nr), args, i);
  }
  const i64 results[] = {0, 1, -EFAULT_, 8, i64(args[2] & 0xffff), -EINTR_, -512, 1ll << 40, 4096, -9};
  return results[(world.manner.results + world.answers++) % 10];
}

struct Poll { int fd; int16_t events, revents; };

[[noreturn]] void unknown(i64 nr, const u64 *args) {
  fprintf(stderr, "arguments %lx %lx %lx %lx %lx %lx\n", args[0], args[1], args[2], args[3], args[4], args[5]);
  violation("a call that nothing here should make", u64(nr));
}

}  // namespace

void violation(const char *what, u64 a, u64 b) {
  fprintf(stderr, "VIOLATION: %s (%#lx, %#lx)\n", what, a, b);
  abort();
}

void finish(End end) {
  how = end;
  longjmp(ending, 1);
}

u64 current_slot() { return address(slot_at(world.slot)); }
bool is_slot_mapped(u64 index) { return index < kMaxSlots && mapped_slots[index]; }

uint8_t take_byte() {
  if (!world.left) return 0;
  --world.left;
  return *world.input++;
}

void add_mapping(u64 start, u64 end, u32 prot, bool grows) { put({start, end, prot, grows}); }

bool overlaps_region(u64 start, u64 length) {
  u64 end = start + length < start ? ~0ull : start + length;
  return start < kModelBase + kRegionSize && end > kModelBase;
}

bool begin(Side side, const uint8_t *data, size_t size) {
  static bool prepared = (prepare_memory(), true);
  (void)prepared;
  if (size < sizeof(Manner)) return false;
  World &w = world;
  memcpy(&w.manner, data, sizeof w.manner);
  w.manner.end &= 127;
  w.input = data + sizeof w.manner;
  w.left = size - sizeof w.manner;
  w.side = side;
  w.mappings.clear();
  w.maps.clear();
  w.held = w.held_end = 0;
  w.steps = w.waits = 0;
  w.time = 1000000000;
  w.descriptors = kFreshDescriptor;
  w.slot = 0;
  if (w.arena_used) poison(kArena, kArena + std::min(w.arena_used, kArenaSize));
  w.arena_used = w.arena_live = w.answers = 0;
  w.sent.clear();
  w.keep_sent = w.building = w.window_only = false;
  w.brk = 0x10000000;
  w.asked = {};
  maps_file = {};
  for (u32 index : slots_to_clear) {
    mapped_slots[index] = false;
    poison(address(slot_at(index)), address(slot_at(index)) + kFrameOffset);
  }
  slots_to_clear.clear();
  Control &c = control();
  memset(static_cast<void *>(&c), 0, sizeof c);
  c.magic = kControlMagic;
  c.base = kModelBase;
  c.protocol = kProtocol;
  c.side = u32(side);
  c.pid = c.process.pid = 77;
  c.mover = c.mover_peer = -1;
  c.event = c.process.event = kEvent;
  c.proc = side == Side::home ? kProc : -1;
  c.maps = c.long_maps = c.status = kMaps;
  c.pagemap = kPagemap;
  c.uffd = kUffd;
  c.pool = kPool;
  c.keeper = kKeeper;
  c.window = kWindowFirst;
  c.window_end = kWindowEnd;
  c.timeout_ms = 10000;
  memset(c.token, 0x5a, sizeof c.token);
  c.memory = c.next.event = -1;
  for (u32 i = 0; i < kStreams; ++i) c.ahead[i] = c.onward[i] = {-1, 0};
  for (Spare &s : c.spares) s = {-1, 0};
  for (Spare &s : c.next.spares) s = {-1, 0};
  return true;
}

void own_descriptors() {
  Control &c = control();
  world.own.clear();
  auto own = [](int fd) {
    if (fd >= kWindowFirst && fd < kWindowEnd) world.own.push_back(fd);
  };
  for (int fd : {c.event, c.proc, c.memory, c.next.event, c.mover, c.mover_peer}) own(fd);
  for (const Spare &s : c.spares) own(s.fd);
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->state == u32(SlotState::used)) own(slot_at(i)->channel);
}

void set_up_slot(u32 index, int tid, int channel) {
  u64 at = address(slot_at(index));
  if (!mapped_slots[index]) {
    mapped_slots[index] = true;
    slots_to_clear.push_back(index);
  }
  unpoison(at, at + align_up(sizeof(Slot), 8));
  memset(pointer<void>(at), 0, sizeof(Slot));
  memset(pointer<void>(at + kFrameOffset), 0, kXstateInFrame + 1088);
  Slot *s = slot_at(index);
  s->index = index;
  s->state = u32(SlotState::used);
  s->tid = tid;
  s->channel = channel;
  s->next_channel = -1;
  s->process = &control().process;
  s->leader = index == 0;
  s->mask = 0;
  Control &c = control();
  if (c.slots <= index) c.slots = index + 1;
  c.threads = c.threads + 1;
  c.process.threads = c.threads;
}

i64 system_call(i64 nr, const u64 (&a)[6]) {
  World &w = world;
  if (++w.steps > kPatience) finish(End::patience);
  switch (nr) {
    case nr_exit: case nr_exit_group: finish(End::exited);
    case nr_kill: finish(End::killed);
    case nr_recvmsg: return receive_message(int(a[0]), pointer<MsgHdr>(a[1]), a[2]);
    case nr_recvfrom: {
      IoVec one{a[1], a[2]};
      return !w.left && (a[3] & msg_dontwait) && !w.manner.end ? -EAGAIN_ : receive(&one, 1, a[3] & msg_peek);
    }
    case nr_sendmsg: {
      auto *m = pointer<MsgHdr>(a[1]);
      return send_message(int(a[0]), pointer<IoVec>(m->iov), m->iov_length);
    }
    case nr_sendto: {
      IoVec one{a[1], a[2]};
      return send_message(int(a[0]), &one, 1);
    }
    case nr_write: return i64(a[2]);
    case nr_ppoll:
      if (!w.left && ++w.waits > most_waits()) finish(End::patience);
      for (u64 i = 0, said = 0; i < a[1]; ++i) {                           // the last that is asked for has something to say
        auto &each = pointer<Poll>(a[0])[a[1] - 1 - i];
        each.revents = !said && each.fd >= 0;
        said |= u64(each.revents);
      }
      return w.left || a[2] ? 1 : w.manner.end ? 1 : 0;
    case nr_mmap: return map_memory(a[0], a[1], u32(a[2]), a[3]);
    case nr_munmap: return unmap(a[0], a[1]);
    case nr_mprotect: return protect(a[0], a[1], a[2]);
    case nr_madvise: return advise(a[0], a[1], a[2]);
    case nr_mremap:
      if (a[0] % kPage || align_up(a[1], kPage) < a[1] || a[0] + a[1] < a[0] || a[0] + a[1] > kUserEnd) return -EINVAL_;
      require(!overlaps_region(a[0], a[1]), "the stub is moved", a[0], a[1]);
      return a[3] & 2 ? i64(a[4]) : -ENOMEM_;
    case nr_brk: return i64(a[0] && a[0] < 0x20000000 ? w.brk = a[0] : w.brk);
    case nr_ioctl: return control_io(a[0], a[1], a[2]);
    case nr_read: return read_file(a[1], a[2]);
    case nr_lseek: maps_file = {}; return 0;
    case nr_pread64: {                                                   // pagemap: every third page is there
      for (u64 i = 0; i < a[2] / 8; ++i) pointer<u64>(a[1])[i] = (a[3] / 8 + i) % 3 ? 0 : 1ull << 63;
      return i64(a[2]);
    }
    case syscalls::nr_openat: case syscalls::nr_openat2: return kMaps;
    case syscalls::nr_fstat: {                                           // of three files two are regular
      u64 status[18] = {};
      status[3] = (w.answers + w.manner.results) % 3 ? 0100644 : 0040755;
      status[6] = 10000;
      memcpy(pointer<void>(a[1]), status, sizeof status);
      return 0;
    }
    case syscalls::nr_fstatfs: {                                         // of what a guest has opened: of three files two are in /proc, one is in /sys
      u64 filesystem[15] = {(w.answers + w.manner.results) % 3 ? 0x9fa0ull : 0x62656572ull};
      memcpy(pointer<void>(a[1]), filesystem, sizeof filesystem);
      return 0;
    }
    case syscalls::nr_readlinkat: {                                      // /proc/self, or what a descriptor shows
      const char *name = !strcmp(pointer<char>(a[1]), "self") ? "77" : w.answers % 2 ? "/proc/77/maps" : "/proc/77/status";
      u64 n = std::min<u64>(strlen(name), a[3]);
      memcpy(pointer<void>(a[2]), name, n);
      return i64(n);
    }
    case syscalls::nr_memfd_create: return new_descriptor();
    case syscalls::nr_dup3:
      require(std::find(w.own.begin(), w.own.end(), int(a[1])) == w.own.end(), "one of the stub's own descriptors is replaced", a[1]);
      return i64(a[1]);
    case nr_mincore:                                                     // every third page is there
      for (u64 i = 0; i < a[1] / kPage; ++i) pointer<uint8_t>(a[2])[i] = i % 3 == 0 && in_window(a[0] + i * kPage);
      return 0;
    case nr_close: {
      int fd = int(a[0]);
      if (fd == kMaps) maps_file = {};
      std::erase(w.own, fd);
      return 0;
    }
    case nr_clock_gettime: {
      w.time += 20000000;
      TimeSpec t{w.time / 1000000000, w.time % 1000000000};
      if (is_real(a[1])) memcpy(pointer<void>(a[1]), &t, sizeof t);
      return 0;
    }
    case nr_process_vm_readv: {
      IoVec local, remote;
      memcpy(&local, pointer<void>(a[1]), sizeof local);
      memcpy(&remote, pointer<void>(a[3]), sizeof remote);
      if (remote.base == kModelBase && remote.length == 1) return 1;     // is there memory at all?
      require(!overlaps_region(remote.base, remote.length), "the stub's memory is read for the guest", remote.base, remote.length);
      require(slot_part(local.base, local.length) || in_arena(local.base), "memory is fetched to elsewhere", local.base, local.length);
      u64 good = accessible(remote.base, remote.length, prot_read);
      return good || !remote.length ? i64(good) : -EFAULT_;
    }
    case nr_process_vm_writev: {                                         // a signal's frame
      if (w.side == Side::guest) return -ENOSYS_;
      IoVec remote;
      memcpy(&remote, pointer<void>(a[3]), sizeof remote);
      require(!overlaps_region(remote.base, remote.length), "the stub's memory is written for the guest", remote.base, remote.length);
      u64 good = accessible(remote.base, remote.length, prot_write);
      return good || !remote.length ? i64(good) : -EFAULT_;
    }
    case nr_arch_prctl:
      if (a[0] == 0x1003 || a[0] == 0x1004) clear(a[1], 8);
      return a[0] < 0x1003 && a[1] >> 47 ? -EPERM_ : 0;
    case nr_rt_sigaction: case nr_rt_sigprocmask:
      clear(a[2], nr == nr_rt_sigaction ? sizeof(SigAction) : 8);
      return 0;
    case nr_prlimit64: {
      RLimit limit{1024, 1 << 20};
      if (in_stack(a[3])) memcpy(pointer<void>(a[3]), &limit, sizeof limit);
      return 0;
    }
    case nr_fcntl: return a[1] == 1030 ? new_descriptor() : 0;           // F_DUPFD_CLOEXEC
    case nr_socket: return new_descriptor();
    case nr_socketpair: {
      int pair[2] = {new_descriptor(), new_descriptor()};
      memcpy(pointer<void>(a[3]), pair, sizeof pair);
      return 0;
    }
    case nr_clone: case nr_clone3:
      if (w.side == Side::home && w.asked.op == Op::fork && w.asked.args[1] == w.slot && (w.answers + w.manner.results) % 3 == 1) return 0;   // goes on as the child
      return ++w.answers % 4 ? 78 + i64(w.answers) : -EAGAIN_;
    case syscalls::nr_semctl: {                                          // how many semaphores a set has
      u64 status[13] = {};
      status[10] = w.manner.results;
      memcpy(pointer<void>(a[3]), status, sizeof status);
      return 0;
    }
    case nr_tgkill: return a[1] == 77 || a[1] == 78 ? 0 : -ESRCH_;         // the threads that targets begin with
    case nr_getrandom: clear(a[0], a[1]); return i64(a[1]);
    case 36: clear(a[1], 32); return 0;                                  // getitimer
    case nr_getrusage: clear(a[1], 144); return 0;
    case nr_times: clear(a[0], 32); return 5;
    case nr_userfaultfd: return kUffd;
    case 127: return 0;                                                  // rt_sigpending
    case 128: return -11;                                                // rt_sigtimedwait, EAGAIN: no control signal is left
    case nr_futex: case nr_nanosleep:
      if (++w.waits > most_waits()) finish(End::patience);
      w.time += 50000000; return 0;
    case nr_gettid: case nr_getpid: return 77;
    case nr_prctl: case nr_sigaltstack: case nr_rseq: case nr_set_robust_list: case nr_get_robust_list: case nr_set_tid_address:
    case nr_sched_yield: case nr_shutdown: case nr_setsockopt: case nr_connect: case nr_rt_sigqueueinfo: case nr_rt_tgsigqueueinfo: case nr_close_range: case 324: return 0;
    case 222: case 223: case 226: case nr_getsockopt: return 0;          // timer_create, timer_settime, timer_delete
    default:
      if (w.side == Side::guest) return -ENOSYS_;                        // the program's own
      unknown(nr, a);
  }
}

}  // namespace mosrun::model

// --- what is assembly in the stub --------------------------------------------------------------------------------------------
namespace mosrun {

using namespace model;

extern "C" {

const char interruptible_test[1] = {}, interruptible_call[1] = {}, interruptible_done[1] = {}, interruptible_let_go[1] = {};
const char finish_rest[1] = {};
const char access_begin[1] = {}, access_end[1] = {}, access_fault[1] = {}, clocks_begin[1] = {}, clocks_end[1] = {};

void resume_frame(Frame *frame) {
  require(slot_part(address(frame), sizeof *frame), "a thread resumes from elsewhere", address(frame));
  finish(End::resumed);
}
void resume_home(Frame *frame, volatile u32 *) { resume_frame(frame); }
void restorer() {}

i64 interruptible(volatile u32 *interrupt, i64 nr, const u64 *args) {
  if (++world.steps > kPatience) finish(End::patience);
  if (*interrupt) return -512;
  if (world.side == Side::home) return deputy_call(nr, args);
  if (++world.waits > most_waits()) finish(End::patience);
  world.time += 1000000000;
  return world.steps % 3 ? 0 : -EINTR_;
}

i64 copy_program(void *to, const void *from, u64 n) {
  u64 t = address(to), f = address(from);
  auto good = [n](u64 at, u32 prot) { return in_stack(at) || slot_part(at, n) || in_arena(at) || (in_window(at) && n <= kWindow + kWindowSize - at && accessible(at, n, prot) == n); };
  if (!n) return 0;
  if (!good(t, prot_write) || !good(f, prot_read)) return -EFAULT_;
  memmove(to, from, n);
  return 0;
}
i64 touch_read(u64 at) { return accessible(at, 1, prot_read) ? 0 : -EFAULT_; }
i64 touch_write(u64 at) { return accessible(at, 1, prot_write) ? 0 : -EFAULT_; }

i64 clone_with_stack(u64 nr, u64 a0, u64 a1, u64 a2, void (*)(void *), void *argument) {
  if (++world.steps > kPatience) finish(End::patience);
  Slot *slot = static_cast<Slot *>(argument);
  if (nr == u64(nr_clone3) && pointer<CloneArgs>(a0)->stack == base() + kAheadOffset) return -EAGAIN_;   // what copies memory ahead: not in here
  require(slot_part(address(slot), sizeof *slot), "a thread without a slot", address(slot));
  require(slot->index != world.slot, "a thread on the stack of another", slot->index);
  if (nr == u64(nr_clone3)) {
    CloneArgs args{};
    memcpy(&args, pointer<void>(a0), std::min<u64>(sizeof args, a1));
    require(args.stack == address(slot) + kStackLow, "a stack that is not the slot's", args.stack);
    int tid;
    memcpy(&tid, pointer<void>(args.set_tid), sizeof tid);
    if (tid <= 0) return -EINVAL_;
    if (control().phase == u32(Phase::leaving)) add(&control().arrived, 1);
    return tid;
  }
  require(a1 == address(slot) + kStackTop, "a stack that is not the slot's", a1);
  (void)a2;
  return ++world.answers % 4 ? 78 + i64(world.answers) : -EAGAIN_;
}

}  // extern "C"

}  // namespace mosrun
