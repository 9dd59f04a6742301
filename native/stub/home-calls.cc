// Home, while away: the program's own calls, as a request has them.
#include "deputy.h"
#include "rest.h"
#include "syscalls.h"

namespace mosrun {

namespace {

i64 close_range_around(u64 first, u64 last, u64 flags) {
  Control &c = control();
  u64 low = u64(c.window), high = u64(c.window_end);
  if (last < low || first >= high || flags & 2) return sys(nr_close_range, first, last, flags);   // CLOSE_RANGE_UNSHARE comes home instead
  i64 result = 0;
  if (first < low) result = sys(nr_close_range, first, low - 1, flags);
  if (!result && last >= high) result = sys(nr_close_range, high, last, flags);
  for (u64 fd = maximum(first, low); fd <= minimum(last, high - 1) && !result; ++fd)
    if (!window_touches(fd)) flags & 4 ? sys(nr_fcntl, fd, 2, 1) : sys(nr_close, fd);
  return result;
}

// Has the call a mask of its own while it waits? Null: none.
bool own_mask(u32 nr, const u64 *args, u64 &mask) {
  u64 at = 0;
  switch (nr) {
    case syscalls::nr_rt_sigsuspend: at = args[1] == 8 ? args[0] : 0; break;
    case nr_ppoll: at = args[3]; break;
    case nr_epoll_pwait: case syscalls::nr_epoll_pwait2: at = args[4]; break;
    case syscalls::nr_pselect6: if (args[5] && args[5] != kBadPointer) copy(&at, pointer<void>(args[5]), 8); break;
    default: break;
  }
  if (!at || at == kBadPointer) return false;
  copy(&mask, pointer<void>(at), 8);
  return true;
}

u64 length_of(const IoVec *list, u64 count) {
  u64 sum = 0;
  for (u64 i = 0; i < count; ++i) sum += list[i].length;
  return sum;
}

int option_of(u64 fd, int option, int otherwise) {                     // of a socket
  int value = 0;
  u32 length = sizeof value;
  return sys(nr_getsockopt, fd, 1, u64(option), address(&value), address(&length)) ? otherwise : value;
}

bool is_stream(u64 fd) { return option_of(fd, 3, 0) == 1; }              // SO_TYPE, SOCK_STREAM

u64 low_water(u64 fd) {
  constexpr u64 get_attributes = 0x5401;                                // TCGETS
  u32 number = 0;
  struct { u32 input, output, control, local; uint8_t line, characters[19]; } terminal{};
  if (is_stream(fd)) return u64(option_of(fd, kReceiveLowWater, 1));
  if (!sys(nr_ioctl, fd, kMasterOf, address(&number))) return 1;        // its attributes are those of its other side
  if (sys(nr_ioctl, fd, get_attributes, address(&terminal)) || terminal.local & kLines || terminal.characters[kBetween]) return 1;
  return terminal.characters[kLeast];
}

// So many of the `wanted` bytes are what it waits for; 0: for none in particular.
u64 waits_for(const Whole &w, u64 fd, u64 wanted, bool &marked) {
  constexpr i64 nonblock = 0x800;
  i64 flags = sys(nr_fcntl, fd, 3);                                     // F_GETFL
  if (failed(flags) || flags & nonblock || socket_time(fd, nr_recvfrom) || socket_time(fd, nr_sendto)) return 0;   // the rest would have the time anew
  if (w.stream && !is_stream(fd)) return 0;
  Status status{};
  if (w.of != Of::any && (sys(syscalls::nr_fstat, fd, address(&status)) || !(w.marked || is_of(w.of, status.mode, status.special)))) return 0;
  marked = w.marked && (w.of == Of::any || !is_of(w.of, status.mode, status.special));
  return marked ? minimum(wanted, low_water(fd)) : wanted;
}

// Has it transferred a part only because this thread was wanted elsewhere? SIGCONT, which this thread has a handler for, counts as that.
bool cut_short(Slot *slot, u32 nr, const u64 *args, i64 result) {
  if (result <= 0 || slot->in_hand || !(slot->interrupt & 2 || slot->continued)) return false;
  Whole w = whole_of(nr, args);
  if (!w.is) return false;
  u64 wanted = 0;
  if (w.count >= 0) wanted = args[w.count];
  else if (w.vector >= 0) wanted = length_of(pointer<IoVec>(args[w.vector]), args[w.vectors]);
  else wanted = length_of(pointer<IoVec>(pointer<MsgHdr>(args[w.message])->iov), pointer<MsgHdr>(args[w.message])->iov_length);
  bool marked = false;
  if (u64(result) < wanted && w.fd >= 0) wanted = waits_for(w, args[w.fd], wanted, marked);
  if (u64(result) >= wanted) return false;
  slot->rest_most = marked ? wanted - u64(result) : 0;
  return true;
}

void cut_buffers(u64 list, u64 &count, u64 most) {
  if (list && list < kBadPointer) count = cut_list(pointer<IoVec>(list), count, most, &IoVec::length);
}

// The rest of a call that waits for a low-water mark is to end with that.
void cut_to_rest(const Slot *slot, u32 nr, u64 *args) {
  const Whole w = whole_of(nr, args);
  const u64 most = slot->rest_most;
  if (!most || !w.marked) return;
  if (w.count >= 0) args[w.count] = minimum(args[w.count], most);
  else if (w.vector >= 0) cut_buffers(args[w.vector], args[w.vectors], most);
  else if (args[w.message] && args[w.message] < kBadPointer) cut_buffers(pointer<MsgHdr>(args[w.message])->iov, pointer<MsgHdr>(args[w.message])->iov_length, most);
}

}  // namespace

// The kernel looks at no more of the sets than the table of descriptors is long, and with the stub's own descriptors that is longer than the program's.
static void clamp_sets(u32 nr, u64 *args) {
  constexpr i32 usual = 1024;
  if ((nr == syscalls::nr_select || nr == syscalls::nr_pselect6) && i32(args[0]) > usual) args[0] = minimum(args[0], table_of_descriptors());
}

void call(Slot *slot, const Request &r, Space &space) {
  u64 args[6], limit;
  if (!syscalls::deputy_may(r.nr) || !resolve(r, space, args, &limit)) return answer(slot, -ENOSYS_);
  if (i64 error = guard_descriptors(r)) return answer(slot, error);
  if (r.inout_size > minimum<u64>(limit, r.out_size)) return answer(slot, -EINVAL_);
  u64 data = address(space.in) + r.relocations * sizeof(Relocation);
  copy(space.out, pointer<void>(data), r.inout_size);
  if (!within_buffers({data, limit, address(space.out), r.out_size, (r.flags & kCut) != 0}, r.nr, args)) return answer(slot, -EFAULT_);
  const i64 late = late_error(r.nr, args[0]);
  if (late && r.nr != nr_close) return tell_late_error(u32(args[0])), answer(slot, late);
  if (is_no_way_to_read(r.nr, args)) return answer(slot, -EINVAL_);
  if (wants_view_again(r.nr, args)) return answer(slot, 0, nullptr, 0, kShowsView);
  clamp_sets(r.nr, args);
  if (r.flags & kRest) cut_to_rest(slot, r.nr, args);
  else slot->rest_most = 0;
  SocketTime time(slot, r.nr, u32(args[0]));
  if (!slot->in_hand) slot->wait_masked = !(r.flags & kCut) && own_mask(r.nr, args, slot->wait_mask);
  i64 result = time.settle(r.nr == nr_close_range ? close_range_around(args[0], args[1], args[2]) : interruptible(&slot->interrupt, r.nr, args));
  if (slot->wait_masked == 1) slot->wait_masked = 0;
  if (result >= 0 && opens_name(r.nr) && views_itself(int(result))) {
    if (may_be_shown(int(result)) && !slot->fatal) return answer(slot, result, nullptr, 0, kShowsView);
    sys(nr_close, u64(result));
    result = come_home_for(r.nr);
  }
  if (result == -EAGAIN_ && opens_name(r.nr) && mapped_file_breaks()) result = come_home_to_make(r.nr);   // O_NONBLOCK: our own lease is in its way
  u32 flags = result >= 0 && opens_name(r.nr) && may_read_ahead(int(result)) ? kMayRead : 0;
  if (r.nr == syscalls::nr_write && result > 0 && may_write_behind(int(args[0]))) flags |= kMayWrite;
  if (late && !result) result = late, tell_late_error(u32(args[0]));
  if (result >= 0) forget_late_errors(r.nr, args);
  bool unfinished = cut_short(slot, r.nr, args, result);
  if (slot->continued) {
    slot->continued = 0;
    if (result == -EINTR_ && syscalls::calls[r.nr].restart != syscalls::Restart::eintr) result = kRestart;   // signal(7)
  }
  if (slot->fatal && !unfinished) result = kRestart;                    // it will not see the result
  if (failed(result)) return answer(slot, result, space.out, r.flags & kOutOnError ? r.out_fixed : 0);
  u64 rest = minimum<u64>(u64(result) * r.result_size, r.out_size - r.out_fixed);
  if (opens_name(r.nr) && r.flags & kLooks && !r.out_fixed && !r.inout_size) rest = look_at(int(result), r.flags, space.out, r.out_size, flags);
  answer(slot, result, space.out, r.out_fixed + rest, flags | (unfinished ? kUnfinished : 0));
}

u64 look_at(int fd, u32 wanted, uint8_t *out, u64 room, u32 &flags) {
  constexpr u64 access = 3, direct = 040000, path = 010000000, async = 020000;
  Status status{};
  Looked looked{};
  const i64 how = sys(nr_fcntl, u64(fd), 3);                            // F_GETFL
  if (!control().reads_ahead || room < sizeof looked || fd >= kOwnFiles || failed(how) || u64(how) & (access | direct | path | async)) return 0;
  u64 filesystem[kFilesystemWords] = {};
  // Of the files of sysfs that are asked for, reading has no effect.
  if (sys(syscalls::nr_fstat, u64(fd), address(&status)) || (!is_local(fd, filesystem) && !(wanted & kReads && filesystem[0] == kSysfs))) return 0;
  if (filesystem[0] == kSysfs && !status.size) return 0;                 // some kernels tell so of files that are not empty
  const bool regular = (status.mode & 0170000) == 0100000;
  if (!regular && (status.mode & 0170000) != 0040000) return 0;
  flags |= kPlain;
  copy(looked.status, &status, sizeof looked.status);
  u64 bytes = 0;
  if (regular && wanted & (kReads | kReadsAll)) {
    bool executes = false;
    if (identify(fd, looked.file, executes) && executes && control().maps_behind) {
      Lock lock(&control().lock);                                       // nobody maps anything over the probe
      if (may_map_again(u64(fd))) flags |= kMayMap;
    }
    const u64 most = room - sizeof looked, size = u64(status.size);
    const i64 n = sys(nr_pread64, u64(fd), address(out) + sizeof looked, size <= most ? size : minimum(most, kLookFew), 0);
    if (n > 0) bytes = u64(n);
  }
  copy(out, &looked, sizeof looked);
  return sizeof looked + bytes;
}

void view(Slot *slot, const Request &r, const Space &space) {
  i64 error = show_view(r, space.in);
  if (!error) return answer(slot, i64(r.args[0]));
  if (opens_name(r.nr) && !window_touches(r.args[0])) sys(nr_close, r.args[0]);
  answer(slot, come_home_for(r.nr));
}

// The mappings have kept what was said of them, and their pages are elsewhere: now the long list is short work.
void advice(Slot *slot) {
  WideLimit wide;
  Lock lock(&control().lock);
  const int list = int(sys(257, u64(control().proc), reinterpret_cast<u64>("thread-self/smaps"), 0x80000));   // openat, O_CLOEXEC
  auto *mappings = pointer<Mapping>(base() + kListOffset);
  const u64 count = list < 0 ? 0 : read_mappings(list, mappings, kListMax);
  if (list >= 0) sys(nr_close, u64(list));
  bool advised = !count;
  for (u64 i = 0; i < count; ++i) advised |= (mappings[i].flags & kAdvised) && mappings[i].kind != Kind::stack && mappings[i].kind != Kind::vdso && mappings[i].kind != Kind::other;
  answer(slot, advised);
}

}  // namespace mosrun
