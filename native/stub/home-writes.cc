// Home, while away: writes that the program does not wait for (write-behind.cc).
#include "deputy.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

constexpr i64 kLeastRoom = 1 << 30;                          // bytes that a user may still write there
constexpr i64 kLongestWait = 120'000'000'000;                // ns; it is on its way already, over a connection that would be found to be broken before

// What a file system says of a user's quota, if it has such.
bool has_quota(int fd, u64 user) {
  constexpr u64 quotactl_fd = 443, get = 0x800007ull << 8;   // Linux 5.14; Q_GETQUOTA, USRQUOTA and then GRPQUOTA
  u64 quota[9];
  return !sys(quotactl_fd, u64(fd), get, user, address(quota));
}

LateError *find_late(u64 fd) {
  for (LateError &late : control().late)
    if (late.fd == int(u32(fd)) + 1) return &late;
  return nullptr;
}

}  // namespace

// What such a write could fail for is not there: a regular file of a disk or memory of this machine's, with room, without a limit; and it need not be on the
// disk when write(2) returns.
bool may_write_behind(int fd) {
  constexpr u64 direct = 040000, synchronous = 04010000, path = 010000000;   // O_SYNC has O_DSYNC's bit
  if (!control().writes_behind || fd >= kOwnFiles) return false;
  Status status{};
  if (sys(syscalls::nr_fstat, u64(fd), address(&status)) || (status.mode & 0170000) != 0100000) return false;
  const i64 flags = sys(nr_fcntl, u64(fd), 3);               // F_GETFL
  if (failed(flags) || u64(flags) & (direct | synchronous | path) || find_late(u64(fd)) || !is_local(fd)) return false;
  const i64 seals = sys(nr_fcntl, u64(fd), 1034);            // F_GET_SEALS, of a memfd
  if (seals > 0) return false;
  u64 filesystem[kFilesystemWords] = {};
  RLimit limit;
  if (sys(syscalls::nr_fstatfs, u64(fd), address(filesystem)) || sys(nr_prlimit64, 0, 1, 0, address(&limit)) || ~limit.soft) return false;   // RLIMIT_FSIZE
  return i64(filesystem[4]) >= kLeastRoom / maximum<i64>(1, i64(filesystem[1])) && !has_quota(fd, status.user);   // f_bavail, f_bsize
}

void await_writes(u32 after) {
  Control &c = control();
  if (int32_t(after - load(&c.writes)) <= 0) return;
  const i64 until = now() + kLongestWait;
  for (u32 seen; int32_t(after - (seen = load(&c.writes))) > 0; futex_wait(&c.writes, seen, 50000000))
    if (now() > until) lose("its node told of a write that did not come");
}

// All of it, or an error: the program has been told already that it is done.
void write_unheard(Slot *slot, const Request &r, const Space &space) {
  Control &c = control();
  begin_unheard(slot);
  i64 n = 0, error = 0;
  if (r.nr != syscalls::nr_write || r.relocations || r.in_size != r.args[2] || window_touches(r.args[0])) error = -EBADF_;
  else if (const LateError *late = find_late(r.args[0])) error = late->error;
  else if (fails(Fault::home_write_fails)) error = -ENOSPC_;
  while (!error && n < i64(r.in_size)) {
    const i64 part = sys(syscalls::nr_write, r.args[0], address(space.in) + u64(n), r.in_size - u64(n));
    if (part > 0) n += part;
    else if (part != -EINTR_) error = part ? part : -EIO_;
  }
  if (error && !find_late(r.args[0]))
    for (LateError &late : c.late)
      if (!late.fd) {
        late = {int(u32(r.args[0])) + 1, int(error)};
        break;
      }
  add(&c.writes, 1);
  if (c.threads > 1) futex_wake(&c.writes);
  Reply reply = unheard_reply(error ? error : n);
  reply.out_size = 0;
  SendingTime sending(slot);
  if (send_all(slot->channel, &reply, sizeof reply)) lose_connection();
}

i64 late_error(u32 nr, u64 fd) {
  switch (nr) {
    case syscalls::nr_write: case syscalls::nr_writev: case syscalls::nr_pwrite64: case syscalls::nr_pwritev: case syscalls::nr_pwritev2: case syscalls::nr_fsync:
    case syscalls::nr_fdatasync: case syscalls::nr_ftruncate: case nr_close:
      break;
    default: return 0;
  }
  LateError *late = find_late(fd);
  if (!late) return 0;
  late->fd = 0;
  return late->error;
}

void forget_late_errors(u32 nr, const u64 *args) {
  for (LateError &late : control().late) {
    const u64 fd = u64(late.fd - 1);
    const bool replaced = (nr == syscalls::nr_dup2 || nr == syscalls::nr_dup3) && fd == u32(args[1]), closed = nr == nr_close_range && fd >= args[0] && fd <= args[1];
    if (late.fd && (replaced || closed)) late.fd = 0;
  }
}

}  // namespace mosrun
