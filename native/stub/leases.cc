// Home, while away: files that are read ahead of the program. What the guest has of one is good as long as this process holds a read lease on the
// program's own open file (fcntl(2)): nobody has it open for writing, and who wants to waits in open(2) or truncate(2) until the lease is given up,
// which is after the guest has said that it has dropped what it had. Should it never say so, the kernel ends the lease by itself
// (/proc/sys/fs/lease-break-time); long before that the guest will have asked whether it still holds.
#include <initializer_list>

#include "deputy.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

enum : u64 { f_getfl = 3, f_getown = 9, f_getsig = 11 };
constexpr u64 kLeast = 64 << 10;                             // a smaller file comes in one answer or two
constexpr i64 kSettled = 1;                                  // s after which the clock of a file system's times has moved on for certain

bool is_plain(int fd, Status &status) {
  constexpr u64 access = 3, direct = 040000, path = 010000000, async = 020000;
  i64 flags = sys(nr_fcntl, u64(fd), f_getfl);
  if (failed(flags) || u64(flags) & (access | direct | path | async)) return false;
  if (sys(syscalls::nr_fstat, u64(fd), address(&status)) || (status.mode & 0170000) != 0100000) return false;
  return (status.mode & 02010) != 02000;                     // locks on it could be mandatory, before Linux 5.15
}

int32_t *find_lease(int fd) {
  for (int32_t &lease : control().leases)
    if (lease == fd + 1) return &lease;
  return nullptr;
}

void release(int32_t &lease) {
  u64 fd = u64(lease - 1);
  sys(nr_fcntl, fd, f_setlease, no_lease);
  sys(nr_fcntl, fd, f_setsig, 0);
  sys(nr_fcntl, fd, f_setown, 0);
  lease = 0;
}

// Pages of the file go into the pipe and on to the channel as they are: without a copy on the way, and how many there are is known before the guest is
// told. Of one thread at a time; another copies.
class Pipe {
 public:
  Pipe() : own_(!__atomic_exchange_n(&control().pipe_used, 1u, __ATOMIC_ACQUIRE)) {}
  ~Pipe() {
    if (own_) store(&control().pipe_used, 0);
  }
  Pipe(const Pipe &) = delete;
  Pipe &operator=(const Pipe &) = delete;

  // Takes bytes of the file: how many; 0: it is for a copy to find out why not.
  u64 fill(int fd, u64 at, u64 length) {
    Control &c = control();
    if (!own_ || (!c.pipe[0] && !open()) || c.pipe[0] < 0) return 0;
    u64 n = 0;
    while (n < length) {
      i64 part = sys(syscalls::nr_splice, u64(fd), address(&at), u64(c.pipe[1] - 1), 0, length - n, kNonblock);
      if (part == -EINTR_) continue;
      if (part <= 0) break;
      n += u64(part);
    }
    return n;
  }
  i64 empty(int channel, u64 n) {
    while (n) {
      i64 part = sys(syscalls::nr_splice, u64(control().pipe[0] - 1), 0, u64(channel), 0, n, 0);
      if (part == -EINTR_) continue;
      if (part <= 0) return part ? part : -EPIPE_;
      n -= u64(part);
    }
    return 0;
  }

 private:
  static constexpr u64 kNonblock = 2;                        // SPLICE_F_NONBLOCK: of the pipe
  bool open() {
    Control &c = control();
    constexpr u64 set_size = 1031;                           // F_SETPIPE_SZ
    Lock lock(&c.lock);                                      // no child is to get them unseen
    int ends[2];
    WideLimit wide;
    c.pipe[0] = c.pipe[1] = -1;
    if (sys(syscalls::nr_pipe2, address(ends), 0x80000)) return false;   // O_CLOEXEC
    for (int &end : ends) end = keep_descriptor(end);
    if (ends[0] < 0 || ends[1] < 0 || failed(sys(nr_fcntl, u64(ends[1]), set_size, kReadWindow))) {
      for (int end : ends)
        if (end >= 0) sys(nr_close, u64(end));
      return false;
    }
    c.pipe[0] = ends[0] + 1, c.pipe[1] = ends[1] + 1;
    return true;
  }
  bool own_;
};

bool any_breaks() {
  for (int32_t lease : control().leases)
    if (lease && sys(nr_fcntl, u64(lease - 1), f_getlease) != read_lease) return true;
  return false;
}

// The signal's number is ours, or SIGIO should the kernel have no room for it: a handler of the program's must not see that.
bool take(int fd, Leased &leased) {
  Control &c = control();
  Status status{};
  if (!c.reads_ahead || window_touches(u64(fd)) || !is_plain(fd, status) || !is_local(fd)) return false;
  constexpr int sigio = 29;
  int32_t *free = find_lease(-1);
  if (!free || find_lease(fd) || c.process.actions[sigio - 1].handler) return false;
  if (sys(nr_fcntl, u64(fd), f_getown) || sys(nr_fcntl, u64(fd), f_getsig) || sys(nr_fcntl, u64(fd), f_getlease) != no_lease) return false;
  *free = fd + 1;
  if (fails(Fault::home_no_lease) || take_lease(u64(fd))) return release(*free), false;
  i64 offset = sys(nr_lseek, u64(fd), 0, 1);                 // SEEK_CUR
  if (offset < 0 || sys(syscalls::nr_fstat, u64(fd), address(&status))) return release(*free), false;
  i64 seconds = now(clock_realtime) / 1000000000;
  leased = {u64(offset), u64(status.size), status.device, status.number, status.changed, status.changed_ns, status.changed + kSettled < seconds, 0};
  return true;
}

}  // namespace

// On a network file system others write that this kernel does not know of; on one of layers, below the layers.
bool is_local(int fd) {
  u64 filesystem[kFilesystemWords] = {};
  return is_local(fd, filesystem);
}

bool is_local(int fd, u64 (&filesystem)[kFilesystemWords]) {
  if (sys(syscalls::nr_fstatfs, u64(fd), address(filesystem))) return false;
  for (u64 known : {0xef53ull, 0x58465342ull, 0x9123683eull, 0xf2f52010ull, 0x01021994ull})   // ext2 to 4, xfs, btrfs, f2fs, tmpfs
    if (filesystem[0] == known) return true;
  return false;
}

bool may_read_ahead(int fd) {
  Status status{};
  return control().reads_ahead && fd < kOwnFiles && is_plain(fd, status) && u64(status.size) >= kLeast && is_local(fd);
}

void lease(Slot *slot, const Request &r) {
  Control &c = control();
  Leased leased{};
  bool taken;
  if (load(&c.breaking) || load(&c.phase) != u32(Phase::away)) return answer(slot, -EBUSY_);   // perhaps later
  {
    Lock lock(&c.lease_lock);
    taken = r.out_size >= sizeof leased && take(int(r.args[0]), leased);
  }
  answer(slot, taken ? 0 : -EAGAIN_, &leased, taken ? sizeof leased : 0);
}

void begin_unheard(Slot *slot) {
  slot->busy = 0;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (slot->in_hand && !slot->told) slot->told = 1, tell_signal(slot);
}

Reply unheard_reply(i64 n) {
  Control &c = control();
  Reply reply{n, n > 0 ? u32(n) : 0, load(&c.breaking) ? kDrop : 0};
  __atomic_add_fetch(&c.statistics.bytes_out, reply.out_size + sizeof reply, __ATOMIC_RELAXED);
  __atomic_add_fetch(&c.statistics.ahead.bytes, reply.out_size + sizeof reply, __ATOMIC_RELAXED);
  return reply;
}

void answer_unheard(Slot *slot, i64 n, const void *bytes) {
  Reply reply = unheard_reply(n);
  IoVec iov[2] = {{address(&reply), sizeof reply}, {address(bytes), reply.out_size}};
  SendingTime sending(slot);
  if (send_all(slot->channel, iov, 2)) lose_connection();
}

void read_ahead(Slot *slot, const Request &r, Space &space) {
  Control &c = control();
  begin_unheard(slot);
  i64 n = -EBADF_;
  {
    Lock lock(&c.lease_lock);
    if (find_lease(int(r.args[0]))) n = 0;
  }
  u64 length = minimum<u64>(minimum<u64>(r.args[2], r.out_size), kReadWindow);
  if (!n && fails(Fault::home_read_ahead)) n = -EIO_;
  Pipe pipe;
  const u64 uncopied = n ? 0 : pipe.fill(int(r.args[0]), r.args[1], length);
  if (uncopied) n = i64(uncopied);
  else if (!n) n = sys(nr_pread64, r.args[0], address(space.out), length, r.args[1]);
  Reply reply = unheard_reply(n);
  IoVec iov[2] = {{address(&reply), sizeof reply}, {address(space.out), uncopied ? 0 : reply.out_size}};
  SendingTime sending(slot);
  if (send_all(slot->channel, iov, 2, uncopied ? msg_more : 0) || (uncopied && pipe.empty(slot->channel, uncopied))) lose_connection();
}

void settle(Slot *slot, const Request &r, const Space &space) {
  Control &c = control();
  {
    Lock lock(&c.lease_lock);
    for (u64 at = 0; at + sizeof(Settled) <= r.in_size; at += sizeof(Settled)) {
      Settled settled;
      copy(&settled, space.in + at, sizeof settled);
      int32_t *lease = settled.fd < 0 ? nullptr : find_lease(settled.fd);
      if (!lease) continue;
      uint8_t byte;
      if (settled.what & kMoved) sys(nr_lseek, u64(settled.fd), settled.offset, 0);   // SEEK_SET
      if (settled.what & kTouched) sys(nr_pread64, u64(settled.fd), address(&byte), 1, 0);   // for the time of its last access
      if (settled.what & kReleased) release(*lease);
    }
    if (r.args[2] && any_breaks()) store(&c.breaking, 1);
  }
  if (r.args[1]) release_leases();
  if (r.args[0]) answer(slot, 0);
}

void release_leases() {
  Control &c = control();
  Lock lock(&c.lease_lock);
  for (int32_t &lease : c.leases)
    if (lease) release(lease);
  store(&c.breaking, 0);
}

void close_pipe() {
  Control &c = control();
  for (int32_t &end : c.pipe) {
    if (end > 0) sys(nr_close, u64(end - 1));
    end = 0;
  }
  c.pipe_used = 0;
}

bool holds_leases() {
  for (int32_t lease : control().leases)
    if (lease) return true;
  return false;
}

bool lease_breaks() { return any_breaks(); }

}  // namespace mosrun
