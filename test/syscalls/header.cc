// What the generated header promises its users, asked at compile time; and uses of every table, for readelf to look at.
#include "build/generated/syscalls.h"

using namespace mosrun::syscalls;

constexpr Place place(uint64_t nr, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0, uint64_t e = 0) {
  const uint64_t args[6] = {a, b, c, d, e, 0};
  return place_of(nr, args);
}

static_assert(place(nr_read) == Place::home);
static_assert(place(nr_mmap, 0, 4096, 3, 0x22) == Place::special, "native is the filter's business");
static_assert(place(count) == Place::comehome && place(~0ull) == Place::comehome);
static_assert(place(nr_setsockopt, 3, 1, 2) == Place::home && place(nr_setsockopt, 3, 1, 26) == Place::comehome);
static_assert(place(nr_setsockopt, 3, 1ull << 32 | 1, 26) == Place::comehome, "an int has no upper half");
static_assert(place(nr_setsockopt, 3, 0, 64) == Place::comehome && place(nr_setsockopt, 3, 0, 79) == Place::comehome);
static_assert(place(nr_personality, 0xffffffff) == Place::home && place(nr_personality, 0x40000) == Place::comehome);
static_assert(place(nr_unshare, 0x20000) == Place::home && place(nr_unshare, 0x10020000) == Place::comehome);
static_assert(place(nr_get_mempolicy) == Place::home && place(nr_get_mempolicy, 0, 0, 0, 1ull << 32) == Place::comehome);
static_assert(place(nr_setitimer, 0) == Place::home && place(nr_setitimer, 2) == Place::comehome);
static_assert(place(nr_timer_create, 1) == Place::home && place(nr_timer_create, 2) == Place::comehome);
static_assert(place(nr_timer_create, static_cast<uint32_t>(~1234u << 3 | 2)) == Place::comehome, "another process's clock");
static_assert(place(nr_timer_create, static_cast<uint32_t>(~5u << 3 | 3)) == Place::home, "a device's clock");

static_assert(deputy_may(nr_read) && deputy_may(nr_ioctl) && deputy_may(nr_close_range));
static_assert(!deputy_may(nr_mmap) && !deputy_may(nr_munmap) && !deputy_may(nr_brk) && !deputy_may(nr_execve));
static_assert(!deputy_may(nr_clone) && !deputy_may(nr_ptrace) && !deputy_may(nr_rt_sigreturn) && !deputy_may(~0ull));
static_assert(pointer_args[nr_read] == 2 && fd_args[nr_read] == 1 && int_args[nr_read] == 1);
static_assert(fd_args[nr_dup2] == 3 && pointer_args[nr_select] == 0x1e);

static_assert(command_of(List::ioctl, 0x5401).size == 36 && command_of(List::ioctl, 0x5401).dir == Dir::out);
static_assert(command_of(List::ioctl, 0xc0045877).dir == Dir::value, "FIFREEZE has no argument, whatever its number says");
static_assert(command_of(List::ioctl, 0x8008451c).place == Place::home && command_of(List::ioctl, 0x8008451c).size == 8);
static_assert(command_of(List::ioctl, 0xc0186441).place == Place::comehome, "of a type nobody vouches for");
static_assert(command_of(List::ioctl, 0x8912).dir == Dir::ifconf && command_of(List::ioctl, 0xdeadbeef).place == Place::comehome);
static_assert(command_of(List::fcntl, 7).size == 32 && command_of(List::fcntl, 99).place == Place::comehome);

// NativeIf rows of a call stand together, and its groups in order.
constexpr bool ordered() {
  for (unsigned i = 1; i < sizeof native_if / sizeof native_if[0]; i++) {
    const NativeIf &a = native_if[i - 1], &b = native_if[i];
    if (b.nr < a.nr || (b.nr == a.nr && b.group != a.group && b.group != a.group + 1)) return false;
  }
  return true;
}
static_assert(ordered());

extern "C" Place look_up(uint64_t nr, const uint64_t *args, Command *command, const char **name) {
  *command = command_of(static_cast<List>(calls[nr].arg[args[0]].plus), static_cast<uint32_t>(args[1]));
  *name = names + name_at[nr];
  if (!deputy_may(nr) || pointer_args[nr] == 0 || fd_args[nr] == 0 || int_args[nr] == 0) return Place::absent;
  return native_if[args[2]].value == 0 ? Place::native : place_of(nr, args);
}
