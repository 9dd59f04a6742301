// What /proc shows of a process that is away, where it is not brought home for it: home puts a file of its own in the place of the descriptor, with what
// the guest says of itself and home knows. The kernel writes such a file when it is read from its beginning: so does home, again and again. When the
// process is at home, the descriptor shows what /proc does.
#include "deputy.h"
#include "syscalls.h"
#include "view-text.h"

namespace mosrun {

namespace {

constexpr u64 close_on_exec = 0x80000, write_only = 1, nonblock = 04000, limit_of_files = 1;   // O_CLOEXEC, O_WRONLY, O_NONBLOCK, RLIMIT_FSIZE

i64 open_again(u64 fd, u64 flags) {
  DescriptorName name{u32(fd)};
  return sys(syscalls::nr_openat, u64(control().proc), address(name.text), flags);
}

// As it is found when it was opened, or duplicated, and by whatever number.
struct File {
  u64 device = 0, number = 0;
  explicit File(u64 fd) {
    Status status{};
    if (!sys(syscalls::nr_fstat, fd, address(&status))) device = status.device, number = status.number;
  }
  bool is_of(const ShownView &view) const { return view.shown && number && device == view.device && number == view.number; }
};

bool same_open_file(u64 a, u64 b) {
  constexpr u64 file = 0;                                                      // KCMP_FILE
  const u64 own = u64(sys(nr_getpid));
  return !sys(syscalls::nr_kcmp, own, own, file, a, b);
}

// `file` takes the place of `fd`, at its position, and of its duplicates, which go on sharing it: where no other thread may do something with those this moment.
bool put_in_place(u64 fd, i64 file) {
  constexpr int most = 64;
  int fds[most], count = 0;
  const i64 at = sys(nr_lseek, fd, 0, 1);
  const bool alone = control().threads == 1 || stands_still(load(&control().phase));
  if (alone) each_descriptor([&](u64 other) {
    if (other != fd && count < most && same_open_file(fd, other)) fds[count++] = int(other);
  });
  if (at > 0) sys(nr_lseek, u64(file), u64(at), 0);
  auto give = [&](u64 to) { return sys(syscalls::nr_dup3, u64(file), to, sys(nr_fcntl, to, 1) & 1 ? close_on_exec : 0) == i64(to); };   // F_GETFD
  const bool given = give(fd);
  for (int i = 0; given && i < count; ++i) give(u64(fds[i]));
  return given;
}

ShownView *find(u64 fd) {
  const File file(fd);
  for (ShownView &view : control().shown)
    if (file.is_of(view)) return &view;
  return nullptr;
}

void give_up(ShownView &view) {
  view.number = 0;
  store(&view.shown, 0);
}

// One that is nobody's until it has the number of a file: other threads open views of their own meanwhile.
ShownView *room(Shown shown) {
  Lock lock(&control().lock);
  for (int tries = 0; tries < 2; ++tries) {
    bool open[kShownViews] = {};
    for (ShownView &view : control().shown)
      if (!load(&view.shown)) {
        store(&view.shown, u32(shown));
        return &view;
      }
    if (!each_descriptor([&](u64 fd) {
          if (const ShownView *view = find(fd)) open[view - control().shown] = true;
        }))
      return nullptr;
    for (int i = 0; i < kShownViews; ++i)
      if (!open[i] && control().shown[i].number) give_up(control().shown[i]);
  }
  return nullptr;
}

// A signal would tell the program of a limit on files that it does not write.
bool limits_files() {
  RLimit limit{};
  return sys(nr_prlimit64, 0, limit_of_files, 0, address(&limit)) || limit.soft != ~0ull;
}

i64 write_view(i64 file, Shown shown, const Guest &guest) {
  Control &c = control();
  Lock lock(&c.lock);                                                          // what is mapped here meanwhile is none of the program's (stage.cc)
  WithoutLimits lifted;
  Own maps, text;
  if (c.maps < 0 || !maps.read(c.maps)) return -ENOMEM_;
  if (shown != Shown::maps) {
    const i64 own = sys(syscalls::nr_openat, u64(c.proc), reinterpret_cast<u64>(kShownNames[unsigned(shown)]), close_on_exec);
    const bool read = !failed(own) && text.read(int(own));
    if (!failed(own)) sys(nr_close, u64(own));
    if (!read) return -ENOMEM_;
  }
  Writer writer{int(file)};
  if (shown == Shown::maps) write_maps(writer, maps, guest.list, guest.count, guest.brk);
  else write_numbers(writer, shown, text, maps, guest);
  const i64 error = writer.flush();
  return error ? error : sys(syscalls::nr_ftruncate, u64(file), writer.total());         // it may have been longer
}

bool is_of_proc(u64 fd) {
  u64 filesystem[kFilesystemWords] = {};
  return !failed(sys(syscalls::nr_fstatfs, fd, address(filesystem))) && filesystem[0] == kProcFilesystem;
}

// For a descriptor that shows /proc itself, a file of our own.
i64 show(u64 fd, Shown shown, const Guest &guest) {
  const i64 file = sys(syscalls::nr_memfd_create, reinterpret_cast<u64>("proc"), 1);   // MFD_CLOEXEC
  if (failed(file)) return file;
  i64 error = write_view(file, shown, guest);
  const i64 read_only = error ? error : open_again(u64(file), close_on_exec);
  sys(nr_close, u64(file));
  if (failed(read_only)) return read_only;
  if (ShownView *view = room(shown)) {
    const File now(static_cast<u64>(read_only));
    view->device = now.device;
    store(&view->fresh, 0);                                                    // what is true when it is read may be something else
    __atomic_store_n(&view->number, now.number, __ATOMIC_RELEASE);
    store(&control().views_shown, 1);
    if (!put_in_place(fd, read_only)) error = -ENOMEM_, give_up(*view);
  } else {
    error = -ENOMEM_;
  }
  sys(nr_close, u64(read_only));
  return error;
}

// It is written over what is there, for whoever reads it meanwhile.
i64 show_again(ShownView &view, u64 fd, const Guest &guest) {
  if (is_of_proc(fd)) return show(fd, Shown(view.shown), guest);
  const i64 file = open_again(fd, write_only | nonblock | close_on_exec);       // no lease of the program's is waited for
  if (failed(file)) return file;
  const i64 error = write_view(file, Shown(view.shown), guest);
  sys(nr_close, u64(file));
  if (!error) store(&view.fresh, 1);
  return error;
}

u64 number_after(const char *text, u64 length, const char *name) {
  for (u64 i = 0; i < length; ++i) {
    u64 n = 0;
    while (name[n] && i + n < length && text[i + n] == name[n]) ++n;
    if (name[n]) continue;
    u64 value = 0;
    for (i += n; i < length && (text[i] == ' ' || text[i] == '\t'); ++i) continue;
    for (; i < length && text[i] >= '0' && text[i] <= '9'; ++i) value = value * 10 + u64(text[i] - '0');
    return value;
  }
  return 0;
}

// Guest: what its own node's kernel knows of it.
void see(Seen &seen) {
  Control &c = control();
  char text[4096];
  i64 usage[18] = {};                                                          // begins with two struct timeval
  const i64 n = sys(nr_pread64, u64(c.status), address(text), sizeof text, 0);
  const u64 length = n > 0 ? u64(n) : 0;
  seen.anonymous = number_after(text, length, "\nRssAnon:");
  seen.files = number_after(text, length, "\nRssFile:");
  seen.shared = number_after(text, length, "\nRssShmem:");
  seen.most = number_after(text, length, "\nVmHWM:");
  seen.locked = number_after(text, length, "\nVmLck:");
  seen.tables = number_after(text, length, "\nVmPTE:");
  seen.swapped = number_after(text, length, "\nVmSwap:");
  sys(nr_getrusage, 0, address(usage));
  seen.user = u64(usage[0] * 1000000 + usage[1]) + c.earlier[0];
  seen.system = u64(usage[2] * 1000000 + usage[3]) + c.earlier[1];
}

i64 open_real(Shown shown) {
  const u64 proc = u64(control().proc);
  const i64 file = sys(syscalls::nr_openat, proc, reinterpret_cast<u64>(kShownNames[unsigned(shown)]), close_on_exec);
  char first;
  if (failed(file) || shown != Shown::maps || sys(nr_pread64, u64(file), address(&first), 1, 0) == 1) return file;
  // Of a first thread that has ended there are no mappings; those of another can be read as long as that one lives.
  sys(nr_close, u64(file));
  return sys(syscalls::nr_openat, proc, reinterpret_cast<u64>("thread-self/maps"), close_on_exec);
}

}  // namespace

// Home: the descriptor args[0] is to show the guest. Not 0: it could not be done.
i64 show_view(const Request &r, const uint8_t *data) {
  const u64 fd = r.args[0], size = r.in_size - minimum<u64>(r.in_size, sizeof(Seen)), count = size / sizeof(Mapping);
  const Guest guest{reinterpret_cast<const Seen *>(data), reinterpret_cast<const Mapping *>(data + sizeof(Seen)), count, r.args[1]};
  ShownView *view = opens_name(r.nr) ? nullptr : find(fd);
  WideLimit wide;
  if (!count || address(data) % alignof(Mapping) || size % sizeof(Mapping) || count > kListMax || window_touches(fd) || !possible_mappings(guest.list, count) || limits_files()) return -EINVAL_;
  if (view) return show_again(*view, fd, guest);
  const Shown shown = opens_name(r.nr) ? shown_of(int(fd)) : Shown::none;
  return shown == Shown::none ? -EINVAL_ : show(fd, shown, guest);
}

bool may_be_shown(int fd) { return shown_of(fd) != Shown::none; }

// Home: does this call read such a file from its beginning, that has been read before?
bool wants_view_again(u32 nr, const u64 *args) {
  if (!load(&control().views_shown)) return false;
  const bool placed = nr == syscalls::nr_pread64 || nr == syscalls::nr_preadv || nr == syscalls::nr_preadv2;
  if (!placed && nr != syscalls::nr_read && nr != syscalls::nr_readv) return false;
  const u64 fd = u32(args[0]);
  ShownView *view = find(fd);
  if (!view || (placed && ~args[3] ? i64(args[3]) : sys(nr_lseek, fd, 0, 1))) return false;
  return !__atomic_exchange_n(&view->fresh, 0, __ATOMIC_ACQ_REL);
}

// Home: by these calls the kernel reads no file of /proc (EINVAL).
bool is_no_way_to_read(u32 nr, const u64 *args) {
  if (!load(&control().views_shown) || (nr != syscalls::nr_sendfile && nr != syscalls::nr_splice)) return false;
  return find(u32(args[nr == syscalls::nr_sendfile ? 1 : 0]));
}

// Home: the process is about to run here; or to start another program, which gets what is not closed then.
void show_real_views(bool passed_on) {
  Control &c = control();
  if (!load(&c.views_shown)) return;
  WideLimit wide;
  constexpr int most = 64;
  int fds[most], count = 0;
  each_descriptor([&](u64 fd) {
    if (find(fd) && !is_of_proc(fd) && !(passed_on && sys(nr_fcntl, fd, 1)) && count < most) fds[count++] = int(fd);   // F_GETFD
  });
  for (int i = 0; i < count; ++i) {
    ShownView *view = find(u64(fds[i]));
    if (!view || is_of_proc(u64(fds[i]))) continue;                            // a duplicate
    const i64 real = open_real(Shown(view->shown));
    if (failed(real)) continue;
    const File now(static_cast<u64>(real));
    if (put_in_place(u64(fds[i]), real)) *view = {view->shown, 0, now.device, now.number};   // should it go on here
    sys(nr_close, u64(real));
  }
}

// Guest: its list and what else it knows, for home, which answers with the descriptor, or that the process is to come home and open it there.
i64 tell_view(Trap &trap, i64 fd, u32 nr) {
  Control &c = control();
  Lock lock(&c.lock);
  auto *list = pointer<Mapping>(base() + kListOffset);
  const u64 count = have_own_files() ? list_mappings(list, false) : 0;
  Seen seen{};
  if (count) see(seen);
  Request r{};
  r.op = Op::view;
  r.nr = uint16_t(nr);
  r.in_size = u32(sizeof seen + count * sizeof(Mapping));
  r.args[0] = u64(fd);
  r.args[1] = u64(sys(nr_brk, 0));
  IoVec in[3] = {{}, {address(&seen), sizeof seen}, {address(list), count * sizeof(Mapping)}};
  Reply reply{};
  const i64 result = exchange(trap.slot, r, in, 3, nullptr, 0, reply);
  trap.signal_waits |= reply.flags & kSignalWaits;
  return result;
}

}  // namespace mosrun
