// Home, while away: writes that the program does not wait for (write-behind.cc).
#include "deputy.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

constexpr i64 kLeastRoom = 1 << 30;                          // bytes that a user may still write there
constexpr i64 kFar = 1ll << 40;                              // no file system of disks ends before that
constexpr int kTurns = 2400;                                 // of 50 ms; what is waited for is on its way already, over a connection that would be found to be broken before

// What a file system says of the quotas of a file's owner and group, if it has such.
bool has_quota(int fd, const Status &status) {
  constexpr u64 quotactl_fd = 443, get = 0x800007ull << 8;   // Linux 5.14; Q_GETQUOTA, with USRQUOTA or GRPQUOTA
  u64 quota[9];
  return !sys(quotactl_fd, u64(fd), get, status.user, address(quota)) || !sys(quotactl_fd, u64(fd), get | 1, status.group, address(quota));
}

i64 late_of(u64 fd) { return u32(fd) < u32(kOwnFiles) ? -i64(__atomic_load_n(&control().late[u32(fd)], __ATOMIC_ACQUIRE)) : 0; }

}  // namespace

// What such a write could fail for is not there: a regular file of a disk or memory of this machine's, with room, without a limit; and it need not be on the
// disk when write(2) returns.
bool may_write_behind(int fd) {
  constexpr u64 direct = 040000, synchronous = 04010000, path = 010000000;   // O_SYNC has O_DSYNC's bit
  if (!control().writes_behind || fd >= kOwnFiles) return false;
  Status status{};
  u64 filesystem[kFilesystemWords] = {};
  if (sys(syscalls::nr_fstat, u64(fd), address(&status)) || (status.mode & 0170000) != 0100000) return false;
  const i64 flags = sys(nr_fcntl, u64(fd), 3);               // F_GETFL
  if (failed(flags) || u64(flags) & (direct | synchronous | path) || late_of(u64(fd)) || !is_local(fd, filesystem)) return false;
  if (sys(nr_lseek, u64(fd), 0, 1) >= kFar) return false;    // SEEK_CUR
  const i64 seals = sys(nr_fcntl, u64(fd), 1034);            // F_GET_SEALS, of a memfd
  if (seals > 0) return false;
  RLimit limit;
  if (sys(nr_prlimit64, 0, 1, 0, address(&limit)) || ~limit.soft) return false;   // RLIMIT_FSIZE
  return i64(filesystem[4]) >= kLeastRoom / maximum<i64>(1, i64(filesystem[1])) && !has_quota(fd, status);   // f_bavail, f_bsize
}

// By turns of waiting, not by the clock: all of this process may be stopped for any time, and so may be who writes to its disk.
void await_behind(u32 after) {
  Control &c = control();
  u32 seen, last = load(&c.behind);
  for (int turns = 0; int32_t(after - (seen = load(&c.behind))) > 0; ++turns) {
    if (seen != last || load(&c.writing)) turns = 0, last = seen;
    if (turns > kTurns) lose("its node told of a call that did not come");
    futex_wait(&c.behind, seen, 50000000);
  }
}

void tell_late_error(u64 fd) {
  if (fd < u64(kOwnFiles)) __atomic_store_n(&control().late[fd], uint8_t(0), __ATOMIC_RELEASE);
}

void answer_behind(Slot *slot, i64 result) {
  Control &c = control();
  add(&c.behind, 1);
  futex_wake(&c.behind);
  Reply reply = unheard_reply(0);
  reply.result = result;
  SendingTime sending(slot);
  if (send_all(slot->channel, &reply, sizeof reply)) lose_connection();
}

// All of it, or an error, which is kept: the program has been told already that it is done.
static i64 write_unheard(u64 fd, u64 from, u64 length) {
  Status status{};
  i64 error = fails(Fault::home_write_fails) ? -ENOSPC_ : late_of(fd);
  if (!error && (sys(syscalls::nr_fstat, fd, address(&status)) || (status.mode & 0170000) != 0100000)) error = -EBADF_;
  for (u64 n = 0; !error && n < length;) {
    const i64 part = sys(nr_write, fd, from + n, length - n);
    if (part > 0) n += u64(part);
    else if (part != -EINTR_) error = part ? part : -EIO_;
  }
  if (error) __atomic_store_n(&control().late[fd], uint8_t(minimum<i64>(-error, 255)), __ATOMIC_RELEASE);
  return error ? error : i64(length);
}

// A write; or the end of a file that was only read, or where the program is in it.
void call_unheard(Slot *slot, const Request &r, const Space &space) {
  begin_unheard(slot);
  add(&control().writing, 1);
  i64 result = -EBADF_;
  const u64 fd = r.args[0];
  if (fd < u64(kOwnFiles) && !r.relocations && r.in_size == (r.nr == nr_write ? r.args[2] : 0) && !window_touches(fd)) switch (r.nr) {
    case nr_write: result = write_unheard(fd, address(space.in), r.in_size); break;
    case nr_close: result = sys(nr_close, fd), tell_late_error(fd); break;
    case nr_lseek: result = minimum<i64>(sys(nr_lseek, fd, r.args[1], 0), 0); break;   // SEEK_SET
    default: break;
  }
  add(&control().writing, -1u);
  answer_behind(slot, result);
}

i64 late_error(u32 nr, u64 fd) {
  switch (nr) {
    case syscalls::nr_write: case syscalls::nr_writev: case syscalls::nr_pwrite64: case syscalls::nr_pwritev: case syscalls::nr_pwritev2: case syscalls::nr_fsync:
    case syscalls::nr_fdatasync: case syscalls::nr_ftruncate: case nr_close:
      break;
    default: return 0;
  }
  return late_of(fd);
}

void forget_late_errors(u32 nr, const u64 *args) {
  constexpr u64 sets_cloexec = 4;                            // CLOSE_RANGE_CLOEXEC
  if ((nr == syscalls::nr_dup2 || nr == syscalls::nr_dup3) && u32(args[0]) != u32(args[1])) tell_late_error(u32(args[1]));
  if (nr == nr_close_range && !(args[2] & sets_cloexec))
    for (u64 fd = u32(args[0]); fd <= u64(u32(args[1])) && fd < u64(kOwnFiles); ++fd) tell_late_error(fd);
}

}  // namespace mosrun
