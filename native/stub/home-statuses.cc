// Home, while away: what is at the names of a directory, before the program has asked for more than the first (statuses.cc).
#include "deputy.h"
#include "syscalls.h"

namespace mosrun {

namespace {

constexpr u64 kPathOnly = 010000000 | 02000000, kDirectory = 0200000, kLinks = 0400000;   // O_PATH | O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW
constexpr u64 kNoFollow = 0x100, kEmptyPath = 0x1000, kSync = 0x6000;

// Where looking at what the program does not ask for has no effect and takes no time: no file system that asks another machine.
bool is_near(int directory) {
  u64 filesystem[kFilesystemWords] = {};
  constexpr u64 overlay = 0x794c7630;
  return is_local(directory, filesystem) || filesystem[0] == overlay || filesystem[0] == kSysfs;
}

// Opened for its name alone, which is all that a status needs. What is mounted there may be such a file system.
i64 look_up(int directory, const char *name, const Request &r, u64 to) {
  struct { u64 flags, mode, resolve; } how{kPathOnly | (r.args[1] & kNoFollow ? kLinks : 0), 0, 1};   // RESOLVE_NO_XDEV
  const i64 fd = sys(syscalls::nr_openat2, u64(directory), address(name), address(&how), sizeof how);
  if (fd < 0) return fd;
  const char none = 0;
  const i64 result = r.nr == syscalls::nr_statx ? sys(syscalls::nr_statx, u64(fd), address(&none), kEmptyPath | (r.args[1] & kSync), r.args[2], to) : sys(syscalls::nr_fstat, u64(fd), to);
  sys(nr_close, u64(fd));
  return result;
}

i64 gather(const Request &r, const Space &space) {
  if (!control().reads_ahead) return -ENOSYS_;
  if (fails(Fault::home_no_statuses)) return -EIO_;
  const char *name = reinterpret_cast<const char *>(space.in), *end = name + r.in_size;
  if ((r.nr != syscalls::nr_newfstatat && r.nr != syscalls::nr_statx) || !r.in_size || end[-1] || r.relocations) return -EINVAL_;
  if (window_touches(r.args[0])) return -EBADF_;
  const u32 each = 8 + status_bytes(r.nr);
  const char here[] = ".";
  const i64 directory = sys(syscalls::nr_openat, r.args[0], address(*name ? name : here), kPathOnly | kDirectory);
  if (directory < 0) return directory;
  u32 used = 0;
  auto skip = [&] { while (*name++) {} };
  for (skip(); is_near(int(directory)) && name < end && used + each <= r.out_size; skip()) {
    uint8_t *to = space.out + used;
    zero(to, each);
    const i64 result = look_up(int(directory), name, r, address(to) + 8);
    copy(to, &result, sizeof result);
    used += each;
  }
  sys(nr_close, u64(directory));
  return used;
}

}  // namespace

void statuses(Slot *slot, const Request &r, Space &space) {
  begin_unheard(slot);
  answer_unheard(slot, gather(r, space), space.out);
}

}  // namespace mosrun
