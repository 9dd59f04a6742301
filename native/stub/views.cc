// Home, while away: the program opens what /proc shows of itself. What differs here brings it home: only opens pay for the question.
#include "views.h"
#include "stub.h"
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

// Of all views the one that programs begin with, opened to be read (maps-view.cc).
bool shows_maps(int fd) {
  char name[256];
  u64 n = name_of_view(fd, name);
  return n > 5 && name[n - 5] == '/' && name[n - 4] == 'm' && name[n - 3] == 'a' && name[n - 2] == 'p' && name[n - 1] == 's' && !(sys(nr_fcntl, u64(fd), 3) & 3);   // F_GETFL, O_ACCMODE
}

}  // namespace mosrun
