// Home, while away: files that the guest maps shared, and only reads. What it has fetched of one is good as long as this process holds a read lease on it
// (fcntl(2)): nobody has it open for writing. Who wants to waits in open(2) or truncate(2) until the process is at home again, where the mapping shows
// what is written. Of open files of our own: those that come with the process are the mover's, which may lease what belongs to others.
#include "deputy.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

constexpr i64 kLookAgain = 500'000'000, kFirstPause = 1'000'000'000, kLongestPause = 60'000'000'000;   // ns

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
  return take_lease(u64(fd));
}

void try_after(i64 pause) {
  Control &c = control();
  const u64 at = u64(now());
  if (at < c.return_at) return;                              // another thread has seen to it
  c.return_at = at + u64(pause);
  int timer = c.return_timer - 1;
  Event64 event{};
  event.value = kRetries;
  event.signal = kControlSignal;
  if (timer < 0 && sys(nr_timer_create, clock_monotonic, address(&event), address(&timer))) return;   // RLIMIT_SIGPENDING: until it is asked for something else
  c.return_timer = timer + 1;
  const TimeSpec once[2] = {{0, 0}, {pause / 1000000000, pause % 1000000000}};
  sys(nr_timer_settime, u64(timer), 0, address(once), 0);
}

// Not before home has room for it, which mosd says.
void come_home() {
  Control &c = control();
  c.must_return = 1;
  if (u64(now()) >= c.no_room_until) return come_home_unasked(kByWriter);
  c.waits_for = nr_mmap;
  c.waits_at = u64(now());
  try_after(kLookAgain);
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

// A return was given up: the program has time to go on between one try and the next.
void come_home_later() {
  Control &c = control();
  if (!c.must_return && !mapped_file_breaks()) return;
  c.must_return = 1;
  if (u64(now()) < c.return_at) return;
  c.return_pause = minimum(maximum(2 * c.return_pause, kFirstPause), kLongestPause);
  try_after(c.return_pause);
}

// The parent's end with the parent's stay.
void watch_inherited_files() {
  control().return_timer = 0;                                // timers are the parent's (fork(2))
  control().return_at = 0;
  bool all = !control().must_return;
  control().must_return = 0;
  for (MappedFile &file : control().mapped_files) {
    if (!file.fd) continue;
    const u64 old = u64(file.fd - 1);
    i64 fd;
    const i64 error = lease_again(old, fd);
    if (error && !failed(fd)) sys(nr_close, u64(fd));
    all = all && holds(file);                                // until now the parent's counted: its pages are this child's
    file.fd = error ? 0 : keep_descriptor(int(fd)) + 1;
    if (file.fd <= 0) file.fd = 0, all = false;
    sys(nr_close, old);
  }
  if (!all || mapped_file_breaks()) come_home();
}

void release_mapped_files() {
  Control &c = control();
  if (c.return_timer) sys(nr_timer_delete, u64(c.return_timer - 1));
  c.return_timer = 0;
  c.must_return = 0;
  c.return_at = 0;
  c.return_pause = 0;
  for (MappedFile &file : control().mapped_files) {
    if (file.fd) release(file);
  }
}

}  // namespace mosrun
