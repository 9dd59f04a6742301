// Home, while away: pages of files' mappings, which the guest asks for when they are touched (file-pages.cc).
#include <initializer_list>

#include "deputy.h"
#include "file-cache.h"
#include "system-files.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

// Bytes of a mapping whose truth is here. A mapping that is not readable yet is made so for the moment. By this thread's number: the first may have
// ended, and has no memory then.
i64 read_memory(Slot *slot, const Request &r, Space &space) {
  u64 at = r.args[0], length = minimum<u64>(r.args[1], r.out_size);
  // Whole pages, since a protection is changed by pages.
  if (touches_stub(align_down(at, kPage), align_up(at % kPage + length, kPage))) return -EFAULT_;
  IoVec local{address(space.out), length}, remote{at, length};
  i64 n = sys(nr_process_vm_readv, u64(slot->tid), address(&local), 1, address(&remote), 1, 0);
  if (n == -EFAULT_ && r.args[2]) {
    sys(nr_mprotect, align_down(at, kPage), align_up(length, kPage), prot_read);
    n = sys(nr_process_vm_readv, u64(slot->tid), address(&local), 1, address(&remote), 1, 0);
    sys(nr_mprotect, align_down(at, kPage), align_up(length, kPage), r.args[3] & 7);
  }
  return n;
}

// A file of the system: root's, for all to read and for nobody else to write, and as it is for so long that whoever writes to it from now on gives it
// another ctime: by write(2) since the clock of those times has gone on, by a mapping since its pages have been written back and are watched again
// (vm.dirty_expire_centisecs, 30 s). Only where there is a disk to write them back to.
constexpr i64 kSettled = 60;                                             // s
constexpr u64 kPagesMax = 1 << 30;

bool is_of_system(const Status &s, u64 filesystem) {
  constexpr u64 with_disks[] = {0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x794c7630, 0x73717368, 0xe0f5e1e2};   // ext2 to 4, xfs, btrfs, f2fs; overlay; squashfs, erofs
  bool has_disk = false;
  for (u64 known : with_disks) has_disk |= filesystem == known;
  const bool is_old = now(clock_realtime) / 1000000000 - s.changed > kSettled;
  return has_disk && (s.mode & 0170026) == 0100004 && !s.user && s.size > 0 && (is_old || fails(Fault::home_young_file));
}

FileIdentity identity_of(const Status &s) { return {s.device, s.number, u64(s.size), s.changed, s.changed_ns}; }

}  // namespace

bool identify(int fd, FileIdentity &file, bool &executes) {
  Status status{};
  u64 filesystem[kFilesystemWords] = {};
  if (sys(syscalls::nr_fstat, u64(fd), address(&status)) || sys(syscalls::nr_fstatfs, u64(fd), address(filesystem)) || !is_of_system(status, filesystem[0])) return false;
  constexpr u64 noexec = 8;                                              // ST_NOEXEC in f_flags
  executes = !(filesystem[10] & noexec);
  file = identity_of(status);
  return true;
}

bool is_in_place_of_system(u64 fd) {
  DescriptorName name{u32(fd)};
  char path[8];
  const i64 n = sys(267, u64(control().proc), address(name.text), address(path), sizeof path - 1);   // readlinkat
  if (n < 0) return false;
  path[n] = 0;
  return is_place_of_system(path);
}

// Further mappings of the file, readable, writable or executable, cannot fail: nobody forbids it (security modules judge each by what it is for), and
// there is no limit that they could come to.
bool may_map_again(u64 file) {
  for (u64 resource : {9, 2}) {                                             // RLIMIT_AS, RLIMIT_DATA
    RLimit limit{};
    if (sys(nr_prlimit64, 0, resource, 0, address(&limit)) || ~limit.soft) return false;
  }
  // As many as a library has, of different kinds: there is a limit on their number (vm.max_map_count).
  constexpr u64 pieces = 8;
  const i64 probe = sys(nr_mmap, 0, pieces * kPage, 5, map_private, file, 0);   // PROT_READ | PROT_EXEC
  if (failed(probe)) return false;
  bool may = true;
  for (u64 i = 1; i < pieces; i += 2) may = may && !sys(nr_mprotect, u64(probe) + i * kPage, kPage, prot_read);
  sys(nr_munmap, u64(probe), pieces * kPage);
  return may;
}

// By the name that the kernel has for it, if that is still its name.
void Files::look(Mapping &m, u64 page, const Seen &seen) {
  const u64 device = (seen.minor & 0xff) | seen.major << 8 | (seen.minor & ~0xffull) << 12;   // makedev(3)
  if (page > kPagesMax) return;
  if (device != device_ || seen.number != number_) {
    device_ = device, number_ = seen.number, known_ = 0;
    Status status{};
    u64 filesystem[kFilesystemWords] = {};
    *const_cast<char *>(seen.end) = 0;                                  // in this code's own copy
    if (is_place_of_system(seen.path) && !sys(syscalls::nr_stat, address(seen.path), address(&status)) && status.device == device && status.number == seen.number &&
        !sys(syscalls::nr_statfs, address(seen.path), address(filesystem)) && is_of_system(status, filesystem[0]))
      known_ = know_file(identity_of(status));
    *const_cast<char *>(seen.end) = '\n';
  }
  m.object = uint16_t(known_);
  m.at = known_ ? u32(page) : 0;
}

void fetch(Slot *slot, const Request &r, Space &space) {
  if (!(r.flags & kNotWaitedFor)) {
    const i64 n = read_memory(slot, r, space);
    return answer(slot, n, space.out, n > 0 ? u64(n) : 0);
  }
  begin_unheard(slot);
  const i64 n = !control().reads_ahead ? -ENOSYS_ : fails(Fault::home_read_ahead) ? -EIO_ : read_memory(slot, r, space);
  answer_unheard(slot, n, space.out);
}

}  // namespace mosrun
