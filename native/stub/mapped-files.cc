// Home, while away: files that the guest maps shared, and only reads. What it has fetched of one is good as long as this process holds a read lease on it
// (fcntl(2)): nobody has it open for writing. Who wants to waits in open(2) or truncate(2) until the process is at home again, where the mapping shows
// what is written. Of open files of our own: those that come with the process are the mover's, which may lease what belongs to others.
#include "deputy.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

enum : u64 { f_setown = 8, f_setsig = 10, f_setlease = 1024, f_getlease = 1025 };
constexpr i64 read_lease = 0, no_lease = 2;                  // F_RDLCK, F_UNLCK
constexpr int kForMapping = -5;                              // Statistics::last_return

int32_t *free_place() {
  for (int32_t &file : control().mapped_files)
    if (!file) return &file;
  return nullptr;
}

bool is_watched(const Status &status) {
  for (int32_t file : control().mapped_files) {
    Status other{};
    if (file && !sys(syscalls::nr_fstat, u64(file - 1), address(&other)) && other.device == status.device && other.number == status.number) return true;
  }
  return false;
}

// Its signal is ours, which does no harm should somebody open it at this moment.
i64 lease_again(u64 file, i64 &fd) {
  DescriptorName name{u32(file)};
  fd = sys(257, u64(control().proc), address(name.text), 0x80800);   // openat, O_RDONLY | O_CLOEXEC | O_NONBLOCK
  if (failed(fd)) return fd;
  sys(nr_fcntl, u64(fd), f_setsig, kControlSignal);
  sys(nr_fcntl, u64(fd), f_setown, u64(control().pid));
  return sys(nr_fcntl, u64(fd), f_setlease, read_lease);
}

// A return that is given up is asked for again (deputy.cc).
void come_home() {
  control().must_return = 1;
  come_home_unasked(kForMapping);
}

}  // namespace

bool mapped_file_breaks() {
  for (int32_t file : control().mapped_files)
    if (file && sys(nr_fcntl, u64(file - 1), f_getlease) != read_lease) return true;
  return false;
}

bool is_mapped_file(int fd) {
  for (int32_t file : control().mapped_files)
    if (file == fd + 1) return true;
  return false;
}

bool maps_files() {
  for (int32_t file : control().mapped_files)
    if (file) return true;
  return false;
}

bool keep_mapped_file(int fd) {
  int32_t *place = free_place();
  if (!place) return sys(nr_close, u64(fd)), false;
  *place = fd + 1;
  return true;
}

// What the system's files say does not change (system-files.h); and some file systems give none, where others write unseen at home too.
bool watch_mapped_file(u64 file, bool of_system) {
  Control &c = control();
  Lock lock(&c.lock);                                        // no child is to get it unseen
  Lock leases(&c.lease_lock);
  Status status{};
  if (sys(syscalls::nr_fstat, file, address(&status))) return true;                 // the mapping will fail
  if ((status.mode & 0170000) != 0100000 || is_watched(status) || (of_system && is_in_place_of_system(file))) return true;
  i64 fd;
  const i64 error = lease_again(file, fd);
  if (!error) {
    fd = keep_descriptor(int(fd));
    // A signal may have come before it could be seen whose it was.
    return !failed(fd) && keep_mapped_file(int(fd)) && sys(nr_fcntl, u64(fd), f_getlease) == read_lease;
  }
  if (!failed(fd)) sys(nr_close, u64(fd));
  return error == -EINVAL_ || (of_system && error != -EAGAIN_);
}

void watch_mapped_files() {
  for (int32_t file : control().mapped_files) {
    if (!file) continue;
    sys(nr_fcntl, u64(file - 1), f_setown, u64(control().pid));
    sys(nr_fcntl, u64(file - 1), f_setsig, kControlSignal);
  }
  if (mapped_file_breaks()) come_home();
}

void ignore_mapped_files() {
  for (int32_t file : control().mapped_files)
    if (file) sys(nr_fcntl, u64(file - 1), f_setown, 0);
}

bool come_home_for_mapping() {
  if (!control().must_return && !mapped_file_breaks()) return false;
  come_home();
  return true;
}

// The parent's end with the parent's stay.
void watch_inherited_files() {
  control().must_return = 0;
  bool all = true;
  for (int32_t &file : control().mapped_files) {
    if (!file) continue;
    const u64 old = u64(file - 1);
    i64 fd;
    const i64 error = lease_again(old, fd);
    if (error && !failed(fd)) sys(nr_close, u64(fd));
    file = error ? 0 : keep_descriptor(int(fd)) + 1;
    if (file <= 0) file = 0, all = false;
    sys(nr_close, old);
  }
  if (!all || mapped_file_breaks()) come_home();
}

void release_mapped_files() {
  control().must_return = 0;
  for (int32_t &file : control().mapped_files) {
    if (file) sys(nr_fcntl, u64(file - 1), f_setlease, no_lease), sys(nr_close, u64(file - 1));
    file = 0;
  }
}

}  // namespace mosrun
