// Guest: calls that the program does not wait for: writes to files, and what comes of starting a program or loading a library, mappings over one that has just
// been made and the end of a file that was only read. It goes on as soon as the request is on its way; home carries them out in their turn, and what it says
// of them is taken later, before anything else that comes over the channel.
//
// Nobody can tell it from a write that was waited for. Whatever the program does next that others could see goes home too: over the same channel behind the
// request, or over that of another thread with the number of those that have to be done before it (Request::after). Should it be killed meanwhile, so it
// was a moment earlier. What could go wrong is looked at first (may_write_behind): only regular files of this machine's own disks, with much room, no
// limit on their size and no quota. What fails all the same is told by the next call on that file that could, as over NFS: at the latest by fsync or close.
#include "read-ahead.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

constexpr u64 kMostBehind = 128 << 10;                       // bytes of one write
constexpr i64 kAskAgain = 16 << 20;                          // bytes after which home looks anew

bool is_behind(u64 fd) { return fd < u64(kOwnFiles) && (__atomic_load_n(&control().behind_files[fd / 64], __ATOMIC_RELAXED) >> fd % 64 & 1); }
void forget_file(u64 fd) {
  if (is_behind(fd)) __atomic_and_fetch(&control().behind_files[fd / 64], ~(1ull << fd % 64), __ATOMIC_RELAXED);
}

void forget_all() {
  Control &c = control();
  add(&c.behind_changes, 1);
  for (u64 &word : c.behind_files) __atomic_store_n(&word, 0ull, __ATOMIC_RELAXED);
}

// Leaves the descriptor the file that it is, and the file as it may be written to.
constexpr u64 kFar = 1ull << 40;

bool keeps(u32 nr) {
  switch (nr) {
    case syscalls::nr_write: case syscalls::nr_read: case syscalls::nr_pread64: case syscalls::nr_readv: case syscalls::nr_writev: case syscalls::nr_pwrite64: case syscalls::nr_lseek:
    case syscalls::nr_fstat: case syscalls::nr_newfstatat: case syscalls::nr_statx: case syscalls::nr_fsync: case syscalls::nr_fdatasync: case syscalls::nr_poll:
    case syscalls::nr_fadvise64: case syscalls::nr_ftruncate:
      return true;
    default: return false;
  }
}

// Home must not be held up by what it sends where it is to take much: of what is under way only the words about such calls are short. `little`: a request
// and nothing else, which always finds room in the socket, and that nobody waits for: home comes to it when it has sent what is under way.
void make_way(Slot *slot, bool little) {
  for (u32 i = 0; i < slot->windows_waiting && !little; ++i)
    if (slot->windows[i].file != kWriteBehind) {
      receive_windows(slot);
      break;
    }
  auto has_come = [&] { return slot->windows[0].file == kWriteBehind && wait_readable(slot->channel, 0) > 0; };
  while (slot->windows_waiting && (slot->windows_waiting == kReadWindows || has_come())) take_first_window(slot);
}

void send_behind(Slot *slot, Request &r, IoVec data, u32 length) {
  r.magic = kRequestMagic;
  r.flags = kNotWaitedFor;
  tell_times(slot, r);
  r.after = __atomic_fetch_add(&control().behind, 1u, __ATOMIC_ACQ_REL);
  slot->windows[slot->windows_waiting++] = {r.args[0], kWriteBehind, length, 0, 0, 0, 0};
  IoVec in[2] = {{address(&r), sizeof r}, data};
  if (send_all(slot->channel, in, data.length ? 2 : 1)) guest_dies(Ending::disconnected);
}

}  // namespace

void may_be_written(Slot *slot, u64 fd) {
  Control &c = control();
  auto is_same = [&] { return !slot->saw_sharing && slot->saw_shared == load(&c.shared) && slot->saw_changes == load(&c.behind_changes); };
  if (slot->process != &c.process || fd >= u64(kOwnFiles) || !is_same()) return;
  bool any = false;
  for (const u64 &word : c.behind_files) any = any || __atomic_load_n(&word, __ATOMIC_RELAXED);
  if (!any) __atomic_store_n(&c.behind_left, kAskAgain, __ATOMIC_RELAXED);
  __atomic_or_fetch(&c.behind_files[fd / 64], 1ull << fd % 64, __ATOMIC_SEQ_CST);
  if (!is_same()) forget_file(fd);
}

void forget_written(u32 nr, const u64 *args) {
  Control &c = control();
  if (nr >= syscalls::count) return;
  if (nr == 160 || nr == nr_prlimit64 || nr == nr_close_range) return forget_all();   // setrlimit
  // Where a file may end, as its file system has it, a write can fail for that.
  const bool far = nr == nr_lseek && args[1] + kFar > 2 * kFar;
  if ((keeps(nr) && !far) || !syscalls::fd_args[nr]) return;
  add(&c.behind_changes, 1);
  for (unsigned i = 0; i < 6; ++i)
    if (syscalls::fd_args[nr] >> i & 1) forget_file(u32(args[i]));
}

// False: it is a write like any other.
bool write_behind(Trap &trap, const u64 *args, i64 &result) {
  Slot *slot = trap.slot;
  Control &c = control();
  const u64 fd = u32(args[0]), n = args[2];
  if (!is_behind(fd) || slot->process != &c.process || !n || n > kMostBehind || slot->drops || slot->process->want_park || slot->rest_ip == trap.context->regs.ip) return false;
  if (__atomic_load_n(&c.behind_left, __ATOMIC_RELAXED) < i64(n)) return forget_all(), false;
  if (touch_range(args[1], n, false) != i64(n)) return false;
  make_way(slot, false);
  if (!is_behind(fd)) return false;                          // one before it has failed
  __atomic_sub_fetch(&c.behind_left, i64(n), __ATOMIC_RELAXED);
  Request r{};
  r.op = Op::call;
  r.nr = syscalls::nr_write;
  r.in_size = u32(n);
  r.args[0] = fd;
  r.args[2] = n;
  send_behind(slot, r, {args[1], n}, u32(n));
  result = i64(n);
  return true;
}

// The end of a file that was only read.
bool close_behind(Slot *slot, u64 fd) {
  if (slot->process != &control().process || slot->drops || slot->process->want_park) return false;
  make_way(slot, control().process.threads == 1);            // other threads would wait for it
  Request r{};
  r.op = Op::call;
  r.nr = nr_close;
  r.args[0] = fd;
  send_behind(slot, r, {0, 0}, 0);
  return true;
}

void seek_behind(Slot *slot, u64 fd, u64 offset) {
  take_windows(slot);
  Request r{};
  r.op = Op::call;
  r.nr = nr_lseek;
  r.args[0] = fd;
  r.args[1] = offset;
  send_behind(slot, r, {0, 0}, 0);
}

// A mapping of a file that has just been opened, one over that, or plain memory over it, as the dynamic linker makes them.
bool map_behind(Slot *slot, Op op, const u64 (&args)[6]) {
  if (slot->drops || slot->process->want_park) return false;
  make_way(slot, true);
  Request r{};
  r.op = op;
  r.nr = nr_mmap;
  copy(r.args, args, sizeof args);
  send_behind(slot, r, {0, 0}, 0);
  return true;
}

// What home says of the first.
void take_written(Slot *slot) {
  const Window w = slot->windows[0];
  Reply reply{};
  if (receive_all(slot->channel, &reply, sizeof reply)) guest_dies(Ending::disconnected);
  if (reply.out_size || reply.result > i64(w.length)) guest_dies(Ending::nonsense);
  if (reply.flags & kDrop) slot->drops = 1;
  if (reply.result != i64(w.length)) forget_file(w.at);
  end_window(slot);
}

}  // namespace mosrun
