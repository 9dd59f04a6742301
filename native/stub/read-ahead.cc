// Guest: reads that are answered here, from what home has been asked for before the program wants it.
//
// Only files that the program opened while it was away, for reading alone, and whose open file no other process can have: where it is in the file is then
// this process's own affair, and home is told before any call that could see it. And only while home holds a lease on it (leases.cc): whoever opens such a
// file to write waits until what is here has been dropped. When in doubt a read goes home, as ever.
#include "read-ahead.h"

#include "syscalls.h"

namespace mosrun {

namespace {

constexpr i64 kGoodFor = 5'000'000'000;                      // ns; home's kernel ends a lease by itself after 20 s at the earliest (mover/out.cc)
constexpr u64 kMost = 0x7ffff000;                            // bytes of one read (MAX_RW_COUNT)

bool is_own(u64 fd) { return fd < u64(kOwnFiles) && (control().own_files[fd / 64] >> fd % 64 & 1); }
void disown(u64 fd) { control().own_files[fd / 64] &= ~(1ull << fd % 64); }

ReadOpen *find_open(u64 fd) {
  if (!control().read_room) return nullptr;
  for (ReadOpen &o : read_cache().opens)
    if (o.fd == int(fd) + 1) return &o;
  return nullptr;
}

// --- what home is told, with the lock held -------------------------------------------------------------------------------------
struct Word {
  Settled list[kLeases];
  u32 count = 0;

  void add(ReadOpen &o, bool releases) {
    if (!o.what && !releases) return;
    list[count++] = {o.fd - 1, o.what | (releases ? kReleased : 0), o.offset};
    o.what = 0;
    if (releases) o.fd = 0;
  }
  void add_all(bool releases) {
    if (!control().read_room) return;
    for (ReadOpen &o : read_cache().opens)
      if (o.fd) add(o, releases);
  }
};

// The next request on this channel finds it done; that of another thread only if there is a reply.
void tell(Slot *slot, Word &word, bool dropped = false, bool asks = false) {
  if (!word.count && !dropped && !asks) return;
  Request r{};
  r.magic = kRequestMagic;
  r.after = after_behind(slot);
  r.op = Op::settle;
  r.args[0] = dropped || asks || slot->process->threads > 1;
  r.args[1] = dropped;
  r.args[2] = asks;
  r.in_size = u32(word.count * sizeof(Settled));
  IoVec in[2] = {{address(&r), sizeof r}, {address(word.list), r.in_size}};
  Reply reply{};
  if (!r.args[0]) {
    if (send_all(slot->channel, in, 2)) guest_dies(Ending::disconnected);
    return;
  }
  take_windows(slot);
  exchange(slot, r, in, 2, nullptr, 0, reply);
  if (reply.flags & kSignalWaits) slot->signal_waits = 1;
}

void drop(Slot *slot) {
  Word word;
  take_windows(slot);
  slot->drops = 0;
  word.add_all(true);
  tell(slot, word, true);
  slot->drops = 0;
}

// --- files -----------------------------------------------------------------------------------------------------------------------
bool is_open(u32 file) {
  for (const ReadOpen &o : read_cache().opens)
    if (o.fd && o.file == file) return true;
  return false;
}

// The content that is known already, or a new one.
u32 file_of(const Leased &l) {
  ReadAhead &a = read_cache();
  u32 oldest = kReadFiles;
  for (u32 i = 0; i < kReadFiles; ++i) {
    ReadFile &f = a.files[i];
    bool same = f.serial && f.device == l.device && f.number == l.number && f.size == l.size, open = is_open(i);
    if (same && (open || (f.lasting && l.lasting && f.changed == l.changed && f.changed_ns == l.changed_ns))) return i;
    if (!open && (oldest == kReadFiles || f.used < a.files[oldest].used)) oldest = i;
  }
  if (oldest < kReadFiles) a.files[oldest] = {++a.serials, l.lasting, l.size, l.device, l.number, l.changed, l.changed_ns, 0};
  return oldest;
}

// Home takes a lease on it, unless somebody writes to it.
ReadOpen *open_read(Slot *slot, u64 fd) {
  if (ReadOpen *o = find_open(fd)) return o;
  if (!is_own(fd) || !make_read_room()) return nullptr;
  ReadAhead &a = read_cache();
  ReadOpen *free = nullptr;
  bool first = true;
  for (ReadOpen &o : a.opens) {
    if (!o.fd) free = &o;
    first = first && !o.fd;
  }
  if (!free) return nullptr;
  take_windows(slot);
  Request r{};
  r.op = Op::lease;
  r.args[0] = fd;
  Leased leased{};
  r.out_size = sizeof leased;
  IoVec in[1], out[1] = {{address(&leased), sizeof leased}};
  Reply reply{};
  i64 asked = now(), result = exchange(slot, r, in, 1, out, 1, reply);
  if (reply.flags & kSignalWaits) slot->signal_waits = 1;
  if (result && result != -EBUSY_) disown(fd);
  if (result || reply.out_size != sizeof leased) return nullptr;
  u32 file = file_of(leased);
  if (file == kReadFiles) return nullptr;
  a.files[file].used = ++a.clock;
  if (first) a.checked = u64(asked);
  *free = {int(fd) + 1, file, 0, 0, leased.offset, leased.offset, 0, leased.offset};
  return free;
}

// Does what is here count still?
bool is_good(Slot *slot) {
  if (slot->drops) drop(slot);
  if (!control().read_room) return true;
  ReadAhead &a = read_cache();
  i64 at = now();
  if (at - i64(a.checked) <= kGoodFor) return true;
  Word none;
  tell(slot, none, false, true);
  a.checked = u64(at);
  if (slot->drops) drop(slot);
  return true;
}

// The further it reads in order, the more is under way.
void set_depth(ReadOpen &o, u64 at) {
  if (at && at != o.next) o.depth = 0, o.start = at;
  else if (!at) o.start = 0, o.depth = 1;
  else o.depth = u32(minimum<u64>(kReadWindows, 1 + (at - o.start) / kReadBlock));
  if (at != o.next) o.asked = at;
}

// One read of `n` bytes at the file's own place, or at *where. False: it is for home to do.
bool serve_read(Trap &trap, u64 fd, u64 to, u64 n, const u64 *where, i64 &result) {
  Slot *slot = trap.slot;
  Control &c = control();
  u64 touched = 0;
  if (n >> 47 || (to + n) >> 47) return false;
  n = minimum(n, kMost);
  for (int tries = 0; tries < 4; ++tries) {
    u64 at, wanted;
    {
      Lock lock(&c.read_lock);
      if (!n || !is_good(slot)) return false;
      ReadOpen *o = open_read(slot, fd);
      if (!o) return false;
      const u64 size = read_cache().files[o->file].size;
      at = where ? *where : o->offset;
      wanted = minimum(n, at < size ? size - at : 0);
      if (touched >= wanted) {
        set_depth(*o, at);
        i64 error = give_bytes(slot, *o, at, wanted, to);
        if (!error) {
          o->next = at + wanted;
          o->what |= kTouched;
          if (!where) o->offset = o->next, o->what |= kMoved;
          read_cache().files[o->file].used = ++read_cache().clock;
          result = i64(wanted);
          return true;
        }
        if (error == -EFAULT_) {
          touched = 0;
        } else if (o->depth || where) {
          return false;
        } else {
          take_windows(slot);
          o->next = at + wanted;
        }
        if (error != -EFAULT_) touched = ~0ull;
      }
    }
    if (touched != ~0ull) {
      if (to >> 47 || u64(touch_range(to, wanted, true)) < wanted) return false;
      touched = wanted;
      continue;
    }
    // Not in order: just this, from home. It can be told what of the file is meant, so that it matters to nobody where home is in it.
    u64 args[6] = {fd, to, wanted, at, 0, 0};
    i64 got = forward_call(trap, syscalls::nr_pread64, args);
    if (got == kAgain) return result = got, true;
    if (got != i64(wanted)) return false;
    Lock lock(&c.read_lock);
    ReadOpen *o = find_open(fd);
    if (!o || o->offset != at) continue;
    o->offset = at + wanted;
    o->what |= kMoved;
    result = got;
    return true;
  }
  return false;
}

bool serve_seek(Slot *slot, u64 fd, i64 by, u64 whence, i64 &result) {
  Lock lock(&control().read_lock);
  if (!is_good(slot)) return false;
  ReadOpen *o = find_open(fd);
  if (!o || whence > 2) return false;
  const i64 size = i64(read_cache().files[o->file].size), from = whence == 0 ? 0 : whence == 1 ? i64(o->offset) : size;
  if (by > size || by < -size || from + by < 0 || from + by > size) return false;
  o->offset = u64(from + by);
  o->what |= kMoved;
  result = from + by;
  return true;
}

// --- calls that are not served here ------------------------------------------------------------------------------------------------
enum class Effect { none, tells, releases, shares };

// Of a call that names a file of ours by its descriptor.
Effect effect_of(u32 nr, const u64 *args) {
  constexpr u32 getfd = 1, setfd = 2, getfl = 3, dup_lowest = 0, dup_lowest_cloexec = 0x406;
  switch (nr) {
    case syscalls::nr_pread64: case syscalls::nr_preadv: case syscalls::nr_poll: case syscalls::nr_ppoll: case nr_mmap: return Effect::none;
    case syscalls::nr_fstat: case syscalls::nr_newfstatat: case syscalls::nr_statx: case syscalls::nr_fstatfs: case syscalls::nr_readahead:
    case syscalls::nr_fgetxattr: case syscalls::nr_flistxattr: case syscalls::nr_utimensat:
      return Effect::tells;
    case syscalls::nr_read: case syscalls::nr_readv: case syscalls::nr_preadv2: case syscalls::nr_lseek: case syscalls::nr_ioctl: case syscalls::nr_fadvise64:
    case syscalls::nr_flock: case syscalls::nr_sendfile: case syscalls::nr_splice: case syscalls::nr_copy_file_range:
      return Effect::releases;
    case syscalls::nr_fcntl: {
      u32 command = u32(args[1]);
      if (command == getfd || command == setfd || command == getfl) return Effect::none;
      return command == dup_lowest || command == dup_lowest_cloexec ? Effect::shares : Effect::releases;
    }
    default: return Effect::shares;
  }
}

// Descriptors that are closed or come to be others', whichever: no file that is opened meanwhile is known to be this process's alone.
bool shares_any(u32 nr, const u64 *args) {
  constexpr u64 thread = 0x10000;                            // CLONE_THREAD
  switch (nr) {
    case syscalls::nr_close: case syscalls::nr_close_range: case syscalls::nr_dup: case syscalls::nr_dup2: case syscalls::nr_dup3:
    case syscalls::nr_sendmsg: case syscalls::nr_sendmmsg: case syscalls::nr_pidfd_getfd: case syscalls::nr_fork: case syscalls::nr_vfork:
      return true;
    case syscalls::nr_fcntl: return effect_of(nr, args) == Effect::shares;
    case syscalls::nr_clone: return !(args[0] & thread);
    case syscalls::nr_clone3: {
      u64 flags = 0;
      return copy_program(&flags, pointer<void>(args[0]), sizeof flags) || !(flags & thread);
    }
    default: return false;
  }
}

bool shares_all(u32 nr, const u64 *args) {
  constexpr u32 all[] = {syscalls::nr_sendmmsg, syscalls::nr_pidfd_getfd, syscalls::nr_fork, syscalls::nr_vfork, syscalls::nr_clone, syscalls::nr_clone3};
  for (u32 one : all)
    if (nr == one) return true;
  if (nr != syscalls::nr_sendmsg) return false;
  MsgHdr m{};
  return copy_program(&m, pointer<void>(args[1]), sizeof m) || m.control_length;
}

// Opening for writing what is leased fails if it is not to wait (open(2), EWOULDBLOCK): the program's own does not.
bool writes_at_once(u32 nr, const u64 *args) {
  constexpr u64 access = 3, nonblock = 04000, truncate = 01000;
  u64 flags = nr == syscalls::nr_open ? args[1] : args[2];
  if (nr == syscalls::nr_openat2 && copy_program(&flags, pointer<void>(args[2]), sizeof flags)) return false;
  return (nr == syscalls::nr_open || nr == syscalls::nr_openat || nr == syscalls::nr_openat2) && flags & nonblock && flags & (access | truncate);
}

bool names_ours(u32 nr, const u64 *args) {
  for (unsigned i = 0; i < 6; ++i)
    if ((syscalls::fd_args[nr] >> i & 1) && is_own(u32(args[i]))) return true;
  return false;
}

// True: it counts as one that shares, until it is over.
bool follow(Slot *slot, u32 nr, const u64 *args) {
  Control &c = control();
  Word word;
  // In this order: a call that began between the two is seen in the second, or later in the first.
  slot->saw_shared = load(&c.shared);
  slot->saw_sharing = load(&c.sharing);
  const bool any = shares_any(nr, args), starts = nr == syscalls::nr_execve || nr == syscalls::nr_execveat;
  // Others may hold the lock while they wait for home.
  if (!any && !starts && nr != syscalls::nr_exit_group && !names_ours(nr, args) && !writes_at_once(nr, args)) return false;
  auto give_away = [&](u64 fd) {
    if (ReadOpen *o = find_open(fd)) word.add(*o, true);
    disown(fd);
  };
  const bool all = any && shares_all(nr, args);              // reads the program's memory, for which home may be asked
  Lock lock(&c.read_lock);
  if (any) add(&c.sharing, 1), add(&c.shared, 1);
  if (all || starts || nr == nr_close_range) forget_look(slot, true);
  if (all) {
    word.add_all(true);
    zero(c.own_files, sizeof c.own_files);
  } else if (nr == syscalls::nr_close_range) {
    for (u64 fd = u32(args[0]); fd <= u64(u32(args[1])) && fd < u64(kOwnFiles); ++fd)
      if (is_own(fd)) give_away(fd);
  } else if (starts || writes_at_once(nr, args)) {
    word.add_all(true);
  } else if (nr == syscalls::nr_exit_group) {
    word.add_all(false);
  }
  for (unsigned i = 0; i < 6; ++i) {
    const u64 fd = u32(args[i]);
    if (!(syscalls::fd_args[nr] >> i & 1) || !is_own(fd)) continue;
    const Effect effect = effect_of(nr, args);
    ReadOpen *o = find_open(fd);
    if (effect == Effect::shares) give_away(fd);
    else if (effect != Effect::none && o) word.add(*o, effect == Effect::releases);
  }
  tell(slot, word);
  return any;
}

}  // namespace

bool make_read_room() {
  Control &c = control();
  if (!c.read_room && !sys(syscalls::nr_mprotect, base() + kReadOffset, kReadSize, prot_read | prot_write)) c.read_room = 1;
  return c.read_room;
}

ReadCall::ReadCall(Trap &trap, u32 nr, u64 *args, i64 &result) : counts_(false) {
  Slot *slot = trap.slot;
  if (slot->process != &control().process || nr >= syscalls::count) return;   // a vfork child's descriptors are its own
  const u64 fd = u32(args[0]);
  if (is_own(fd)) {
    if (nr == syscalls::nr_read) served_ = serve_read(trap, fd, args[1], args[2], nullptr, result);
    else if (nr == syscalls::nr_pread64) served_ = i64(args[3]) >= 0 && serve_read(trap, fd, args[1], args[2], &args[3], result);
    else if (nr == syscalls::nr_lseek) served_ = serve_seek(slot, fd, i64(args[1]), u32(args[2]), result);
    if (served_) return;
  }
  counts_ = follow(slot, nr, args);
}

ReadCall::~ReadCall() {
  Control &c = control();
  if (!counts_) return;
  Lock lock(&c.read_lock);
  if (c.sharing) add(&c.sharing, -1u);                                // none in a child that has just been born
}

void may_be_read(Slot *slot, i64 fd) {
  Control &c = control();
  if (slot->process != &c.process || fd < 0 || fd >= kOwnFiles) return;
  Lock lock(&c.read_lock);
  if (!slot->saw_sharing && slot->saw_shared == c.shared) c.own_files[fd / 64] |= 1ull << fd % 64;
}

void receive_windows(Slot *slot) {
  Lock lock(&control().read_lock);
  take_windows(slot);
}

void drop_reads(Slot *slot) {
  if (slot->process != &control().process) return;
  Lock lock(&control().read_lock);
  drop(slot);
}

void leave_reads(Slot *slot) {
  Control &c = control();
  if (slot->process != &c.process) return;
  Lock lock(&c.read_lock);
  forget_look(slot, true);
  take_windows(slot);
  bool any = slot->drops;
  for (u32 i = 0; c.read_room && i < kLeases; ++i) any = any || read_cache().opens[i].fd;
  if (any) drop(slot);
}

void forget_reads(Slot *slot) {
  Control &c = control();
  c.read_lock = 0;
  c.sharing = 0;
  c.shared = 0;
  c.behind = 0;
  c.mapped = 0;
  c.look.fd = 0;
  c.listing = 0;
  c.usage_asked = 0;
  zero(c.plain_files, sizeof c.plain_files);
  zero(c.behind_files, sizeof c.behind_files);
  slot->windows_waiting = slot->drops = 0;
  zero(c.own_files, sizeof c.own_files);
  if (c.read_room) sys(syscalls::nr_madvise, base() + kReadOffset, kReadSize, 4);   // MADV_DONTNEED: it reads as zeros
}

}  // namespace mosrun
