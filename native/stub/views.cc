// Home, while away: the program opens what /proc shows of itself. What differs here brings it home: only opens pay for the question.
#include "deputy.h"
#include "view-text.h"
#include "syscalls.h"

namespace mosrun {

DescriptorName::DescriptorName(u32 fd) {
  char digits[12];
  u32 n = 0, at = 15;
  do digits[n++] = char('0' + fd % 10);
  while (fd /= 10);
  while (n) text[at++] = digits[--n];
}

namespace {

int number_in_proc() {                                      // of this process, in the namespace that /proc is of
  char text[12];
  i64 n = sys(syscalls::nr_readlinkat, u64(control().proc), address("self"), address(text), sizeof text);
  int number = 0;
  for (i64 i = 0; i < n && text[i] >= '0' && text[i] <= '9'; ++i) number = number * 10 + (text[i] - '0');
  return number;
}

bool own(int number) {
  Control &c = control();
  if (number == c.pid || number == number_in_proc()) return true;
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->state == u32(SlotState::used) && slot_at(i)->tid == number) return true;
  return false;
}

}  // namespace

bool opens_name(u32 nr) { return nr == syscalls::nr_openat || nr == syscalls::nr_open || nr == syscalls::nr_openat2; }

namespace {

// The name, if it is of a view of this process; else of length 0.
u64 name_of_view(int fd, char (&name)[256]) {
  if (fd < 0) return 0;
  u64 filesystem[15] = {};
  if (failed(sys(syscalls::nr_fstatfs, u64(fd), address(filesystem))) || filesystem[0] != kProcFilesystem) return 0;
  DescriptorName link{u32(fd)};
  i64 n = sys(syscalls::nr_readlinkat, u64(control().proc), address(link.text), address(name), sizeof name);
  int number = n > 0 ? viewed_process(name, u64(n)) : 0;
  return number && own(number) ? u64(n) : 0;
}

}  // namespace

bool views_itself(int fd) {
  char name[256];
  return name_of_view(fd, name);
}

// Those that are opened to be read alone, of the /proc that the deputy has too: another's is of another pid namespace, and has other numbers.
Shown shown_of(int fd) {
  constexpr u64 access = 3, path = 010000000;
  char name[256];
  Status status{}, proc{};
  const u64 n = name_of_view(fd, name);
  const Shown shown = n && !(u64(sys(nr_fcntl, u64(fd), 3)) & (access | path)) ? shown_by(name, n) : Shown::none;   // F_GETFL
  if (shown == Shown::none || sys(syscalls::nr_fstat, u64(fd), address(&status)) || sys(syscalls::nr_fstat, u64(control().proc), address(&proc)) || status.device != proc.device) return Shown::none;
  return shown == Shown::maps || viewed_process(name, n) == number_in_proc() ? shown : Shown::none;
}

}  // namespace mosrun
