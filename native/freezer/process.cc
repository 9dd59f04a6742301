#include "freezer/process.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "stub/faults.h"

namespace mosrun {

namespace {

constexpr size_t kPart = 256 << 10;
constexpr size_t kSlotMax = sizeof(Slot) + kFrameSize;

bool fails(uint32_t &armed, Fault here) {
  if (armed != static_cast<uint32_t>(here)) return false;
  armed = 0;
  return true;
}

// Memory that goes when the pass is over: most of the time a frozen process needs none.
class Room {
 public:
  explicit Room(size_t size) : size_(size), at_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~Room() { if (at_ != MAP_FAILED) munmap(at_, size_); }
  Room(const Room &) = delete;
  Room &operator=(const Room &) = delete;
  bool there() const { return at_ != MAP_FAILED; }
  template <class T> T *as() { return static_cast<T *>(at_); }

 private:
  size_t size_;
  void *at_;
};

// The parts of a pass: `part` for bytes on their way, `runs` and `mappings` for what is looked at.
struct Rooms {
  Room part{kPart}, runs{kRunsMax * sizeof(PageRun)}, mappings{kBookSize};
  bool there() const { return part.there() && runs.there() && mappings.there(); }
};

int copy(Source &from, Sink *to, uint64_t size, Room &part) {
  while (size) {
    size_t n = size < kPart ? size : kPart;
    if (int error = from.read(part.as<char>(), n)) return error;
    if (to)
      if (int error = to->write(part.as<char>(), n)) return error;
    size -= n;
  }
  return 0;
}

bool sound(const Mapping *list, uint64_t count) {
  uint64_t last = 0;
  for (uint64_t i = 0; i < count; i++) {
    if (list[i].kind == Kind::other) continue;
    if (list[i].start < last || list[i].end <= list[i].start || (list[i].start | list[i].end) % kPage) return false;
    last = list[i].end;
  }
  return true;
}

int read_state(Source &from, RecordHeader &header, Control &state) {
  if (int error = from.read(&header, sizeof header)) return error;
  if (header.type != Record::state || header.length != sizeof state || !header.count || header.count > kMaxSlots) return -EPROTO;
  if (int error = from.read(&state, sizeof state)) return error;
  return state.magic == kControlMagic && state.protocol == kProtocol && state.slots && state.slots <= kMaxSlots ? 0 : -EPROTO;
}

// The slot's own bytes and its frame's, to `room`.
int read_slot(Source &from, RecordHeader &header, uint32_t index, char *room) {
  if (int error = from.read(&header, sizeof header)) return error;
  if (header.type != Record::slot || header.count != index || header.length < sizeof(Slot) || header.length > kSlotMax) return -EPROTO;
  if (int error = from.read(room, header.length)) return error;
  const auto &slot = *reinterpret_cast<const Slot *>(room);
  bool lives = slot.state == static_cast<uint32_t>(SlotState::used);
  return slot.frame_length == header.length - sizeof slot && lives == (slot.frame_length > 0) ? 0 : -EPROTO;
}

int read_mappings(Source &from, RecordHeader &header, Mapping *list) {
  if (int error = from.read(&header, sizeof header)) return error;
  if (header.type != Record::mappings || header.count > kBookMax || header.length != header.count * sizeof(Mapping)) return -EPROTO;
  if (int error = from.read(list, header.length)) return error;
  return sound(list, header.count) ? 0 : -EPROTO;
}

// Another record of pages with its runs, or the end.
int read_runs(Source &from, RecordHeader &header, PageRun *runs) {
  if (int error = from.read(&header, sizeof header)) return error;
  if (header.type == Record::end) return header.length ? -EPROTO : 0;
  if (header.type != Record::pages || !header.count || header.count > kRunsMax || header.length < header.count * sizeof(PageRun)) return -EPROTO;
  if (int error = from.read(runs, header.count * sizeof(PageRun))) return error;
  uint64_t bytes = header.count * sizeof(PageRun);
  for (uint32_t i = 0; i < header.count; i++) {
    if (runs[i].length > kRunMax || (runs[i].address | runs[i].length) % kPage || runs[i].address + runs[i].length < runs[i].address) return -EPROTO;
    bytes += runs[i].length;
  }
  return bytes == header.length ? 0 : -EPROTO;
}

struct Piece {
  PageRun run;
  bool wanted;
};

// What travels home of a run: what the process may have changed. Where a page belongs to no mapping there is nothing to put it in.
bool cut(const Mapping *list, uint64_t count, PageRun run, Array<Piece> &pieces) {
  uint64_t low = 0, high = count;
  while (low < high) {                   // the first mapping that ends behind the run's start
    uint64_t middle = (low + high) / 2;
    if (list[middle].end <= run.address) low = middle + 1;
    else high = middle;
  }
  for (uint64_t at = run.address, end = run.address + run.length; at < end;) {
    while (low < count && list[low].end <= at) low++;
    bool inside = low < count && list[low].start <= at;
    uint64_t until = low == count ? end : inside ? list[low].end : list[low].start;
    if (until > end) until = end;
    if (!pieces.add({{at, until - at}, inside && (list[low].flags & kWritten) && list[low].kind != Kind::other})) return false;
    at = until;
  }
  return true;
}

int send_pages_home(Source &from, Sink &to, const Array<Piece> &pieces, Room &part) {
  for (size_t first = 0; first < pieces.count;) {
    PageRun runs[kRunsMax];
    RecordHeader header{Record::pages, 0, 0};
    size_t last = first;
    for (; last < pieces.count && header.count < kRunsMax; last++) {
      if (!pieces.items[last].wanted) continue;
      runs[header.count++] = pieces.items[last].run;
      header.length += pieces.items[last].run.length;
    }
    header.length += header.count * sizeof(PageRun);
    int error = header.count ? to.write(&header, sizeof header) : 0;
    if (!error && header.count) error = to.write(runs, header.count * sizeof(PageRun));
    for (; first < last && !error; first++) error = copy(from, pieces.items[first].wanted ? &to : nullptr, pieces.items[first].run.length, part);
    if (error) return error;
  }
  return 0;
}

}  // namespace

int take_in(Source &from, Sink &to, FrozenProcess &process, uint32_t fault) {
  Rooms rooms;
  Room state_room(sizeof(Control)), slot_room(kSlotMax);
  if (!rooms.there() || !state_room.there() || !slot_room.there()) return -ENOMEM;
  RecordHeader header{};
  auto &state = *state_room.as<Control>();
  auto keep = [&](const void *data, size_t size) {
    int error = to.write(&header, sizeof header);
    return error || !size ? error : to.write(data, size);
  };
  if (int error = read_state(from, header, state)) return error;
  const uint32_t threads = header.count;
  if (int error = keep(&state, sizeof state)) return error;
  process.slots = state.slots;
  process.brk = state.mm.brk;
  for (uint32_t i = 0; i < process.slots; i++) {
    if (int error = read_slot(from, header, i, slot_room.as<char>())) return error;
    if (int error = keep(slot_room.as<char>(), header.length)) return error;
    if (slot_room.as<Slot>()->frame_length && !process.living.add(static_cast<uint16_t>(i))) return -ENOMEM;
  }
  if (process.living.count != threads) return -EPROTO;
  if (int error = read_mappings(from, header, rooms.mappings.as<Mapping>())) return error;
  if (int error = keep(rooms.mappings.as<Mapping>(), header.length)) return error;
  do {
    auto *runs = rooms.runs.as<PageRun>();
    if (int error = read_runs(from, header, runs)) return error;
    if (header.type == Record::end) break;
    if (fails(fault, Fault::freeze_disk_full)) return -ENOSPC;
    if (fails(fault, Fault::freeze_dies)) _Exit(1);
    const size_t table = header.count * sizeof(PageRun);
    if (int error = keep(runs, table)) return error;
    if (int error = copy(from, &to, header.length - table, rooms.part)) return error;
    process.got.bytes += header.length + sizeof header;
    process.got.pages += (header.length - table) / kPage;
  } while (true);
  return keep(nullptr, 0);
}

int send_on(Source &image, Sink &to, uint32_t fault) {
  Rooms rooms;
  Room state_room(sizeof(Control)), slot_room(kSlotMax);
  if (!rooms.there() || !state_room.there() || !slot_room.there()) return -ENOMEM;
  RecordHeader header{};
  auto pass = [&](const void *data, size_t size) {
    int error = to.write(&header, sizeof header);
    return error || !size ? error : to.write(data, size);
  };
  if (fails(fault, Fault::thaw_cut_at_start)) return -EPIPE;
  if (int error = read_state(image, header, *state_room.as<Control>())) return error;
  if (int error = pass(state_room.as<Control>(), header.length)) return error;
  for (uint32_t i = 0; i < state_room.as<Control>()->slots; i++) {
    if (int error = read_slot(image, header, i, slot_room.as<char>())) return error;
    if (int error = pass(slot_room.as<char>(), header.length)) return error;
  }
  if (int error = read_mappings(image, header, rooms.mappings.as<Mapping>())) return error;
  if (int error = pass(rooms.mappings.as<Mapping>(), header.length)) return error;
  for (bool begun = false;; begun = true) {
    auto *runs = rooms.runs.as<PageRun>();
    if (int error = read_runs(image, header, runs)) return error;
    if (header.type == Record::end) return pass(nullptr, 0);
    if (begun && fails(fault, Fault::thaw_cut_at_pages)) return -EPIPE;
    const size_t table = header.count * sizeof(PageRun);
    if (int error = pass(runs, table)) return error;
    if (int error = copy(image, &to, header.length - table, rooms.part)) return error;
  }
}

int send_home(Source &image, const FrozenProcess &process, HomeSinks &to, uint32_t fault) {
  Rooms rooms;
  Room state_room(sizeof(Control)), slot_room(kSlotMax);
  if (!rooms.there() || !state_room.there() || !slot_room.there()) return -ENOMEM;
  RecordHeader header{};
  if (int error = read_state(image, header, *state_room.as<Control>())) return error;
  size_t told = 0;
  for (uint32_t i = 0; i < process.slots; i++) {
    if (int error = read_slot(image, header, i, slot_room.as<char>())) return error;
    if (!slot_room.as<Slot>()->frame_length) continue;
    if (int error = to.park(static_cast<uint16_t>(i), ++told == process.living.count, slot_room.as<char>(), header.length)) return error;
  }
  auto *list = rooms.mappings.as<Mapping>();
  if (fails(fault, Fault::thaw_cut_at_start)) return -EPIPE;
  if (int error = read_mappings(image, header, list)) return error;
  const uint64_t count = header.count;
  // As a guest lists them for home: kWritten where pages travel, and nothing else but what was advised.
  for (uint64_t i = 0; i < count; i++) {
    Mapping &m = list[i];
    bool stays = (m.kind == Kind::file_private && !(m.flags & kWritten)) || m.kind == Kind::file_shared || m.kind == Kind::vdso || m.kind == Kind::other;
    m.flags = static_cast<uint16_t>((m.flags & kAdvised) | (stays ? 0 : kWritten));
  }
  if (int error = to.begin_memory(process.brk)) return error;
  Sink &memory = to.memory();
  if (int error = memory.write(&header, sizeof header)) return error;
  if (int error = memory.write(list, header.length)) return error;
  Array<Piece> pieces;
  for (bool begun = false;; begun = true) {
    auto *runs = rooms.runs.as<PageRun>();
    if (int error = read_runs(image, header, runs)) return error;
    if (header.type == Record::end) return memory.write(&header, sizeof header);
    if (begun && fails(fault, Fault::thaw_cut_at_pages)) return -EPIPE;
    pieces.clear();
    for (uint32_t i = 0; i < header.count; i++)
      if (!cut(list, count, runs[i], pieces)) return -ENOMEM;
    if (int error = send_pages_home(image, memory, pieces, rooms.part)) return error;
  }
}

}  // namespace mosrun
