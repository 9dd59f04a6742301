// Guest: what home says of a file with the answer to open(2), so that the program need not ask for it: its fstat(2), and of what programs load, whose names
// tell that they will be read, the beginning. The dynamic linker reads that, looks, maps and closes; an interpreter reads all of it. So does what wants to
// know the machine (hwloc) with each of some hundred files of a line in sysfs.
//
// The program is answered with it only as long as nothing can have happened that it could know of: its only thread has made no other call, no signal has
// come, and it was a moment ago. Of files of the system, which nobody changes (home-pages.cc), that need not be. Where the program is in the file then is
// known here, and home is told before any other call that could see it.
#include "read-ahead.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

FirstLook &look() { return control().look; }
uint8_t *beginning() { return pointer<uint8_t>(base() + kReadOffset + kReadSize - kLookMost); }
// Home stopped reading before that many bytes only at the file's end: sysfs tells a size that its files do not have.
u64 size_of(const FirstLook &l) { return l.ends ? l.bytes : l.looked.status[6]; }

bool names(u32 nr, const u64 *args, u64 fd) {
  for (unsigned i = 0; i < 6; ++i)
    if ((syscalls::fd_args[nr] >> i & 1) && u32(args[i]) == fd) return true;
  return false;
}

// And changes no file: not even root's programs do.
bool is_harmless(u32 nr) {
  switch (nr) {
    case nr_read: case nr_pread64: case syscalls::nr_fstat: case syscalls::nr_newfstatat: case nr_lseek: case nr_close: case nr_futex: case nr_clock_gettime: case nr_nanosleep:
    case nr_clock_nanosleep: case nr_poll: case syscalls::nr_readlink: case syscalls::nr_access: case syscalls::nr_getdents64:
      return true;
    default: return is_quiet(nr);
  }
}

// fstat(2), or fstatat with no name: where it is to go. 0: it is another call.
u64 place_for_status(u32 nr, const u64 *args) {
  constexpr u64 empty_path = 0x1000;
  if (nr == syscalls::nr_fstat) return args[1];
  char name = 1;
  if (nr != syscalls::nr_newfstatat || args[3] != empty_path || copy_program(&name, pointer<void>(args[1]), 1) || name) return 0;
  return args[2];
}

// With the lock held. What comes next over this channel finds it done, and so does what comes over others'.
void end_look(Slot *slot, bool tells) {
  FirstLook &l = look();
  const u64 fd = u64(l.fd - 1);
  l.fd = 0;
  if (tells && l.moved) seek_behind(slot, fd, l.offset);
}

// What is asked for, if it is here: where it is to go, and from where.
struct Part { u64 to, length; const uint8_t *from; };

bool part_of(const FirstLook &l, u32 nr, const u64 *args, Part &part) {
  const bool reads = nr == nr_read, at_place = nr == nr_pread64, regular = (l.looked.status[3] & 0170000) == 0100000;
  if (reads || at_place) {
    const u64 at = at_place ? args[3] : l.offset, size = size_of(l), wanted = minimum(args[2], at < size ? size - at : 0);
    part = {args[1], wanted, beginning() + at};
    return regular && i64(args[2]) >= 0 && i64(at) >= 0 && at + wanted <= minimum(l.bytes, size);
  }
  part = {place_for_status(nr, args), sizeof l.looked.status, reinterpret_cast<const uint8_t *>(l.looked.status)};
  return part.to;
}

bool seek(FirstLook &l, i64 by, u64 whence, i64 &result) {
  if (whence > 1 || (whence == 1 && by) || (whence == 0 && (by < 0 || u64(by) > size_of(l)))) return false;
  if (whence == 0) l.moved |= l.offset != u64(by), l.offset = u64(by);
  result = i64(l.offset);
  return true;
}

bool ends(const char *name, u64 length, const char *with) {
  u64 n = 0;
  while (with[n]) ++n;
  for (u64 i = 0; i < n; ++i)
    if (length < n || name[length - n + i] != with[i]) return false;
  return true;
}
bool has_part(const char *name, u64 length, const char *part) {
  u64 n = 0;
  while (part[n]) ++n;
  for (u64 i = 0; i + n <= length; ++i)
    if (ends(name, i + n, part)) return true;
  return false;
}

}  // namespace

bool is_quiet(u32 nr) { return nr == nr_mmap || nr == nr_munmap || nr == nr_mprotect || nr == nr_brk; }

// What of it the answer is to bring: flags of a request.
u32 looks_at(u32 nr, const u64 *args, const char *name) {
  constexpr u64 access = 3, creates = 0100, truncates = 01000, direct = 040000, directory = 0200000, path = 010000000, temporary = 020000000;
  const u64 flags = nr == syscalls::nr_open ? args[1] : args[2];
  if (nr != syscalls::nr_open && nr != syscalls::nr_openat) return 0;
  if (flags & (access | creates | truncates | direct | path | (temporary & ~directory))) return 0;
  u64 length = 0;
  while (name[length]) ++length;
  const bool whole = ends(name, length, ".py") || ends(name, length, ".pyc"), machine = has_part(name, length, "devices/system/");
  const bool loads = !(flags & directory) && (whole || machine || ends(name, length, ".so") || has_part(name, length, ".so."));
  return kLooks | (!loads ? 0 : whole ? kReadsAll : kReads);
}

// `bytes`: Looked, and the beginning; `at`: when home was asked, `alone`: by the only thread.
void may_be_looked_at(Slot *slot, i64 fd, const uint8_t *bytes, u64 length, u32 flags, i64 at, bool alone) {
  Control &c = control();
  if (slot->process != &c.process || fd < 0 || fd >= kOwnFiles) return;
  Lock lock(&c.read_lock);
  if (slot->saw_sharing || slot->saw_shared != c.shared) return;
  if (flags & kPlain) __atomic_or_fetch(&c.plain_files[fd / 64], 1ull << fd % 64, __ATOMIC_RELAXED);
  FirstLook &l = look();
  if (l.fd) end_look(slot, l.fd != u32(fd) + 1);
  if (length < sizeof l.looked) return;
  copy(&l.looked, bytes, sizeof l.looked);
  l.bytes = length - sizeof l.looked;
  l.ends = l.bytes && l.bytes < minimum(l.looked.status[6], kLookFew);
  if (l.bytes && !make_read_room()) l.bytes = 0;
  if (l.bytes) copy(beginning(), bytes + sizeof l.looked, l.bytes);
  l.at = at;
  l.offset = 0;
  l.by = slot->index;
  l.shared = c.shared;
  l.moved = 0;
  l.maps = flags & kMayMap ? 1 : 0;
  l.fresh = alone && c.process.threads == 1;
  l.stands = l.looked.file.number != 0;
  l.fd = u32(fd) + 1;
}

bool serve_look(Slot *slot, u32 nr, const u64 *args, i64 &result) {
  Control &c = control();
  FirstLook &l = look();
  const u32 seen = load(&l.fd);
  if (!seen || slot->process != &c.process || nr >= syscalls::count) return false;
  Part part{};
  // Its own thread alone changes what it is; and pages that are still at home are fetched without the lock.
  const bool has = l.by == slot->index && names(nr, args, u64(seen - 1)) && part_of(l, nr, args, part) &&
                   (!part.length || (!(part.to >> 47) && touch_range(part.to, part.length, true) == i64(part.length)));
  Lock lock(&c.read_lock);
  if (!l.fd) return false;
  const bool own = l.by == slot->index && l.fd == seen;
  if (!names(nr, args, u64(l.fd - 1))) {
    if (own && !is_quiet(nr)) l.fresh = 0;
    if (!is_harmless(nr)) l.stands = 0;
    return false;
  }
  if (nr == nr_mmap) return false;
  if (nr == nr_close) return end_look(slot, false), false;
  const bool counts = own && (l.stands || l.fresh) && now() - l.at < kJust && !slot->drops && l.shared == c.shared && !c.sharing;
  if (counts && nr == nr_lseek && seek(l, i64(args[1]), u32(args[2]), result)) return true;
  if (counts && has && !write_program(slot, part.to, part.from, part.length)) {
    result = nr == nr_read || nr == nr_pread64 ? i64(part.length) : 0;
    if (nr == nr_read && part.length) l.offset += part.length, l.moved = 1;
    return true;
  }
  // What it says of itself may be asked for at any time.
  if (nr == syscalls::nr_fstat || nr == syscalls::nr_newfstatat) return l.fresh = 0, false;
  end_look(slot, true);
  return false;
}

bool mapped_at_once(const Slot *slot, u64 fd, FileIdentity &file) {
  Control &c = control();
  if (!load(&c.look.fd)) return false;
  Lock lock(&c.read_lock);
  const FirstLook &l = c.look;
  if (l.fd != u32(fd) + 1 || !l.maps || l.by != slot->index || c.process.threads != 1 || l.shared != c.shared || c.sharing || now() - l.at >= kJust) return false;
  return file = l.looked.file, true;
}

void forget_look(Slot *slot, bool tells) {
  if (look().fd) end_look(slot, tells);
}

// Something has happened that the program may know of.
void age_look() {
  look().fresh = 0;
  age_listing();
}

bool is_plain_file(u64 fd) { return fd < u64(kOwnFiles) && (__atomic_load_n(&control().plain_files[fd / 64], __ATOMIC_RELAXED) >> fd % 64 & 1); }

void forget_plain_files(u32 nr, const u64 *args) {
  auto forget = [](u64 fd) {
    if (is_plain_file(fd)) __atomic_and_fetch(&control().plain_files[fd / 64], ~(1ull << fd % 64), __ATOMIC_RELAXED);
  };
  if (nr == nr_close) forget(u32(args[0]));
  if (nr == syscalls::nr_dup2 || nr == syscalls::nr_dup3) forget(u32(args[1]));
  if (nr == nr_close_range || nr == syscalls::nr_execve || nr == syscalls::nr_execveat)
    for (u64 &word : control().plain_files) __atomic_store_n(&word, 0ull, __ATOMIC_RELAXED);
}

}  // namespace mosrun
