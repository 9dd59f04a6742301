// Guest: what has come of files that are read ahead. Requests for it are not waited for: while the program has the one stretch the next is on its way,
// and lies in the socket until it is wanted. So a thread takes what is under way before it asks home for anything else.
#include "read-ahead.h"

namespace mosrun {

namespace {

constexpr unsigned kWays = 4, kSets = kReadBlocks / kWays;
constexpr i64 kFailed = -EIO_;                               // home does what was asked, and says why not

uint8_t *bytes_of(const ReadBlock &b) { return pointer<uint8_t>(base() + kReadOffset + kReadHead + u64(&b - read_cache().blocks) * kReadBlock); }

uint8_t *beyond_all() { return pointer<uint8_t>(base() + kReadOffset + kReadHead + kReadBlocks * kReadBlock); }   // a block that nobody looks at

ReadBlock *set_of(u32 serial, u32 number) { return &read_cache().blocks[(number + serial * 13) % kSets * kWays]; }

ReadBlock *find_block(u32 serial, u64 at) {
  u32 number = u32(at / kReadBlock), within = u32(at % kReadBlock);
  ReadBlock *set = set_of(serial, number);
  for (unsigned i = 0; i < kWays; ++i)
    if (set[i].file == serial && set[i].number == number && within >= set[i].from && within < set[i].to) return &set[i];
  return nullptr;
}

ReadBlock &room_for(u32 serial, u32 number) {
  ReadBlock *set = set_of(serial, number), *oldest = set;
  for (unsigned i = 0; i < kWays; ++i) {
    if (set[i].file == serial && set[i].number == number) return set[i];
    if (set[i].used < oldest->used) oldest = &set[i];
  }
  return *oldest;
}

bool is_known(u32 serial) {
  for (ReadFile &file : read_cache().files)
    if (serial && file.serial == serial) return true;
  return false;
}

i64 receive_some(int fd, u64 to, u64 n) {
  i64 got;
  do got = sys(nr_recvfrom, u64(fd), to, n, 0, 0, 0);
  while (got == -EINTR_);
  return got;
}

// The head of what is under way begins to come.
void begin_window(Slot *slot, Window &w) {
  if (w.begun) return;
  Reply reply{};
  if (receive_all(slot->channel, &reply, sizeof reply)) guest_dies(Ending::disconnected);
  if (reply.out_size > w.length || reply.result > i64(w.length) || (reply.result > 0 && reply.out_size != u32(reply.result))) guest_dies(Ending::nonsense);
  if (reply.flags & kDrop) slot->drops = 1;
  w.begun = 1;
  w.got = reply.out_size;
  w.used = 0;
}

// All that is left of the head, into blocks. A block has one stretch of bytes; what would leave a gap in it replaces it.
void take_window(Slot *slot) {
  if (!slot->windows[0].file) return take_pages(slot);
  if (slot->windows[0].file == kWriteBehind) return take_written(slot);
  if (slot->windows[0].file == kStatuses) return take_statuses(slot);
  Window &w = slot->windows[0];
  begin_window(slot, w);
  bool known = is_known(w.file);
  while (w.used < w.got) {
    u64 at = w.at + w.used;
    u32 number = u32(at / kReadBlock), from = u32(at % kReadBlock), n = minimum(w.got - w.used, u32(kReadBlock) - from);
    uint8_t *to = beyond_all();                              // not the slot's buffer: a request may be under construction there
    ReadBlock *b = nullptr;
    if (known) {
      b = &room_for(w.file, number);
      bool joins = b->file == w.file && b->number == number && b->from <= from && b->to >= from;
      if (!joins) *b = {w.file, number, from, from, 0};
      b->used = ++read_cache().clock;
      to = bytes_of(*b) + from;
    }
    if (receive_all(slot->channel, to, n)) guest_dies(Ending::disconnected);
    if (b) b->to = maximum(b->to, from + n);
    w.used += n;
  }
  end_window(slot);
}

bool is_coming(const Slot *slot, u32 serial, u64 at) {
  for (u32 i = 0; i < slot->windows_waiting; ++i) {
    const Window &w = slot->windows[i];
    if (w.file == serial && at >= w.at + w.used && at < w.at + (w.begun ? w.got : w.length)) return true;
  }
  return false;
}

// Asks for what comes behind `at`, until so much is under way as is to be.
void ask_ahead(Slot *slot, ReadOpen &o, u64 at) {
  const ReadFile &file = read_cache().files[o.file];
  Request requests[kReadWindows]{};
  u32 count = 0;
  o.asked = maximum(o.asked, at);
  const u64 until = minimum(file.size, at + u64(o.depth) * kReadWindow);
  while (slot->windows_waiting < kReadWindows && o.asked < until) {
    if (ReadBlock *b = find_block(file.serial, o.asked)) {
      o.asked = u64(b->number) * kReadBlock + b->to;
      continue;
    }
    u64 length = minimum<u64>((o.depth == 1 ? kReadBlock : kReadWindow) - o.asked % kReadBlock, file.size - o.asked);
    Request &r = requests[count++];
    r.magic = kRequestMagic;
    r.after = after_behind(slot);
    r.op = Op::read;
    r.out_size = u32(length);
    r.args[0] = u64(o.fd - 1);
    r.args[1] = o.asked;
    r.args[2] = length;
    slot->windows[slot->windows_waiting++] = {o.asked, file.serial, u32(length), 0, 0, 0, 0};
    o.asked += length;
  }
  if (count && send_all(slot->channel, requests, count * sizeof(Request))) guest_dies(Ending::disconnected);
}

}  // namespace

i64 write_program(Slot *slot, u64 to, const void *from, u64 n) {
  slot->serving = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  i64 error = copy_program(pointer<void>(to), from, n);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  slot->serving = 0;
  return error;
}

namespace {

// From the socket to the program, of a file that is not kept. What came and the program has no room for is lost, and asked for again.
i64 give_directly(Slot *slot, u64 n, u64 to, u64 &given) {
  Window &w = slot->windows[0];
  given = 0;
  while (n && w.used < w.got) {
    i64 got = receive_some(slot->channel, to, minimum<u64>(n, w.got - w.used));
    if (got == -EFAULT_) return got;
    if (got <= 0) guest_dies(Ending::disconnected);
    w.used += u32(got);
    given += u64(got);
    to += u64(got);
    n -= u64(got);
  }
  if (w.used == w.got) end_window(slot);
  return 0;
}

}  // namespace

void end_window(Slot *slot) {
  for (u32 i = 1; i < slot->windows_waiting; ++i) slot->windows[i - 1] = slot->windows[i];
  --slot->windows_waiting;
}

void take_first_window(Slot *slot) {
  Lock lock(&control().read_lock);
  take_window(slot);
}

void take_windows(Slot *slot) {
  while (slot->windows_waiting) take_window(slot);
}

i64 give_bytes(Slot *slot, ReadOpen &o, u64 at, u64 n, u64 to) {
  const ReadFile &file = read_cache().files[o.file];
  const bool keeps = file.size <= kNotKept;
  for (u64 done = 0; done < n;) {
    u64 from = at + done, given = 0;
    if (ReadBlock *b = find_block(file.serial, from)) {
      u32 within = u32(from % kReadBlock);
      given = minimum<u64>(n - done, b->to - within);
      b->used = ++read_cache().clock;
      if (write_program(slot, to + done, bytes_of(*b) + within, given)) return -EFAULT_;
      done += given;
      if (o.depth && within + given == kReadBlock) ask_ahead(slot, o, from + given);
      continue;
    }
    if (!is_coming(slot, file.serial, from)) {
      if (!o.depth) return kFailed;
      if (o.asked > from || slot->windows_waiting == kReadWindows) take_windows(slot);   // what has been asked for came too short, or to another thread
      if (find_block(file.serial, from)) continue;
      o.asked = from;
      ask_ahead(slot, o, from);
      if (!is_coming(slot, file.serial, from)) return kFailed;
    }
    Window &w = slot->windows[0];
    bool is_next = w.file == file.serial && from == w.at + w.used;
    if (!is_next || keeps) {
      take_window(slot);
      if (slot->drops) return kFailed;
      if (!is_coming(slot, file.serial, from) && !find_block(file.serial, from)) return kFailed;
      continue;
    }
    begin_window(slot, w);
    if (slot->drops || !w.got) return kFailed;
    if (i64 error = give_directly(slot, n - done, to + done, given)) return error;
    done += given;
    if (o.depth && (slot->windows_waiting < o.depth)) ask_ahead(slot, o, from + given);
  }
  return 0;
}

}  // namespace mosrun
