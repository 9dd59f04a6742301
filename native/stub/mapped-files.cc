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

void release(MappedFile &file) {
  const u64 fd = u64(file.fd - 1);
  file.fd = 0;
  sys(nr_fcntl, fd, f_setlease, no_lease);
  sys(nr_close, fd);
}

bool holds(const MappedFile &file) { return sys(nr_fcntl, u64(file.fd - 1), f_getlease) == read_lease; }

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
  for (MappedFile &file : control().mapped_files)
    if (file.fd && !holds(file)) return true;
  return false;
}

bool is_mapped_file(int fd) {
  for (MappedFile &file : control().mapped_files)
    if (file.fd == fd + 1) return true;
  return false;
}

bool maps_files() {
  for (MappedFile &file : control().mapped_files)
    if (file.fd) return true;
  return false;
}

bool keep_mapped_file(int fd, u64 start, u64 end) {
  for (MappedFile &file : control().mapped_files)
    if (!file.fd) return file = {fd + 1, 0, start, end}, true;
  return sys(nr_close, u64(fd)), false;
}

// What the system's files say does not change (system-files.h); and some file systems give none, where others write unseen at home too.
i64 lease_mapped_file(u64 file, bool of_system) {
  Status status{};
  if (sys(syscalls::nr_fstat, file, address(&status))) return 0;                    // the mapping will fail
  if ((status.mode & 0170000) != 0100000 || (of_system && is_in_place_of_system(file))) return 0;
  i64 fd;
  const i64 error = lease_again(file, fd);
  if (!error) return keep_descriptor(int(fd));
  if (!failed(fd)) sys(nr_close, u64(fd));
  return error == -EINVAL_ || (of_system && error != -EAGAIN_) ? 0 : -EBUSY_;
}

// With the lock of the mappings held.
void change_mapped_files(u64 start, u64 end, int leased) {
  Control &c = control();
  if (!leased && !maps_files()) return;
  Lock lock(&c.lease_lock);
  for (MappedFile &file : c.mapped_files) {
    if (!file.fd || file.start >= end || file.end <= start) continue;
    if (file.start >= start && file.end <= end) release(file);
    else if (file.start >= start) file.start = end;
    else if (file.end <= end) file.end = start;
  }
  if (!leased) return;
  const MappedFile file{leased + 1, 0, start, end};
  // A signal may have come before it could be seen whose it was. Who writes waits: what is fetched until it is at home is true.
  if (!keep_mapped_file(leased, start, end) || !holds(file)) come_home();
}

void watch_mapped_files() {
  for (MappedFile &file : control().mapped_files) {
    if (!file.fd) continue;
    sys(nr_fcntl, u64(file.fd - 1), f_setown, u64(control().pid));
    sys(nr_fcntl, u64(file.fd - 1), f_setsig, kControlSignal);
  }
  if (mapped_file_breaks()) come_home();
}

void ignore_mapped_files() {
  for (MappedFile &file : control().mapped_files)
    if (file.fd) sys(nr_fcntl, u64(file.fd - 1), f_setown, 0);
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
  for (MappedFile &file : control().mapped_files) {
    if (!file.fd) continue;
    const u64 old = u64(file.fd - 1);
    i64 fd;
    const i64 error = lease_again(old, fd);
    if (error && !failed(fd)) sys(nr_close, u64(fd));
    file.fd = error ? 0 : keep_descriptor(int(fd)) + 1;
    if (file.fd <= 0) file.fd = 0, all = false;
    sys(nr_close, old);
  }
  if (!all || mapped_file_breaks()) come_home();
}

void release_mapped_files() {
  control().must_return = 0;
  for (MappedFile &file : control().mapped_files) {
    if (file.fd) release(file);
  }
}

}  // namespace mosrun
