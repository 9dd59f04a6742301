#include "engine/rests.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>

#include "engine/waits.h"
#include "stub/layout.h"
#include "stub/rest.h"

namespace mosrun {

namespace {

std::string of_descriptor(pid_t pid, pid_t tid, const char *directory, uint64_t fd) {
  return "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/" + directory + "/" + std::to_string(int(fd));
}

int option_of(int socket, int option, int otherwise) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(socket, SOL_SOCKET, option, &value, &size) ? otherwise : value;
}

// A socket's own time-out (SO_RCVTIMEO, SO_SNDTIMEO) ends a call with a part, too; the rest would have it anew. And a message is all that comes.
bool ends_by_itself(int descriptor, const Whole &w) {
  bool any = w.stream && option_of(descriptor, SO_TYPE, 0) != SOCK_STREAM;
  for (int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    timeval time{};
    socklen_t length = sizeof time;
    any = any || (!getsockopt(descriptor, SOL_SOCKET, option, &time, &length) && (time.tv_sec || time.tv_usec));
  }
  return any;
}

uint64_t low_water(int descriptor) {
  termios terminal{};
  if (option_of(descriptor, SO_TYPE, 0) == SOCK_STREAM) return uint64_t(option_of(descriptor, SO_RCVLOWAT, 1));
  uint32_t number = 0;
  if (!ioctl(descriptor, kMasterOf, &number)) return 1;         // its attributes are those of its other side
  if (tcgetattr(descriptor, &terminal) || terminal.c_lflag & ICANON || terminal.c_cc[VTIME]) return 1;
  return terminal.c_cc[VMIN];
}

uint64_t sum_of(pid_t pid, uint64_t at, uint64_t count) {
  iovec list[1024];
  if (count > 1024 || !read_memory(pid, {at}, list, count * sizeof(iovec))) return 0;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; ++i) sum += list[i].iov_len;
  return sum;
}

uint64_t wanted(pid_t pid, const Whole &w, const uint64_t *args) {
  if (w.count >= 0) return args[w.count];
  if (w.vector >= 0) return sum_of(pid, args[w.vector], args[w.vectors]);
  msghdr message;
  return read_memory(pid, {args[w.message]}, &message, sizeof message) ? sum_of(pid, reinterpret_cast<uint64_t>(message.msg_iov), message.msg_iovlen) : 0;
}

// So many of the `wanted` bytes are what it waits for; 0: for none in particular.
uint64_t waits_for(pid_t pid, pid_t tid, const Whole &w, uint64_t fd, uint64_t wanted, bool &marked) {
  const long flags = open_flags(of_descriptor(pid, tid, "fdinfo", fd));
  if (flags < 0 || flags & O_NONBLOCK) return 0;
  struct stat status{};
  if (w.of != Of::any && (stat(of_descriptor(pid, tid, "fd", fd).c_str(), &status) || !(w.marked || is_of(w.of, status.st_mode, status.st_rdev)))) return 0;
  marked = w.marked && (w.of == Of::any || !is_of(w.of, status.st_mode, status.st_rdev));
  // The copy is of what may have no time-out and no mark: a file.
  if (w.of != Of::any && w.marked && !S_ISSOCK(status.st_mode) && !S_ISCHR(status.st_mode)) return 0;
  const int copy = copy_descriptor(pid, tid, int(fd));
  const bool ends = copy < 0 ? w.stream : ends_by_itself(copy, w);
  if (marked) wanted = copy < 0 ? 0 : std::min(wanted, low_water(copy));
  if (copy >= 0) close(copy);
  return ends ? 0 : wanted;
}

// Of all that the call is to transfer, or of what is missing to its mark. 0: of nothing in particular.
uint64_t least(pid_t pid, pid_t tid, const Whole &w, const uint64_t *args, bool &marked) {
  const uint64_t all = wanted(tid, w, args);
  return w.fd < 0 || !all ? all : waits_for(pid, tid, w, args[w.fd], all, marked);
}

// A stop signal ends such a call as well.
bool stop_waits(pid_t tid, uint64_t mask) {
  constexpr uint64_t stops = 1ull << (SIGSTOP - 1) | 1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) | 1ull << (SIGTTOU - 1);
  auto set = [&](const char *name) { return strtoull(status_field(tid, name).c_str(), nullptr, 16); };
  return (set("SigPnd") | set("ShdPnd")) & stops & ~mask & ~set("SigIgn");
}

}  // namespace

bool cut_short(pid_t pid, pid_t tid, uint64_t mask, int nr, const user_regs_struct &r, int64_t result, uint64_t &most) {
  if (nr < 0 || result <= 0) return false;
  const uint64_t args[6] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
  Whole w = whole_of(uint64_t(nr), args);
  bool marked = false;
  if (!w.is || uint64_t(result) >= wanted(tid, w, args)) return false;
  const uint64_t whole = least(pid, tid, w, args, marked);
  if (uint64_t(result) >= whole || handler_waits(tid, mask) || stop_waits(tid, mask)) return false;
  if (marked) most = whole - uint64_t(result);
  return true;
}

bool transfers(pid_t pid, pid_t tid) {
  std::string text;
  unsigned long nr, args[6];
  if (!read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall", text)) return false;
  if (sscanf(text.c_str(), "%lu %lx %lx %lx %lx %lx %lx", &nr, &args[0], &args[1], &args[2], &args[3], &args[4], &args[5]) != 7) return false;
  const uint64_t list[6] = {args[0], args[1], args[2], args[3], args[4], args[5]};
  Whole w = whole_of(nr, list);
  bool marked = false;
  return w.is && least(pid, tid, w, list, marked) > 1;
}

bool finishes_a_call(pid_t pid, Remote base, uint32_t slots) {
  std::vector<pid_t> tids;
  for (pid_t tid : threads_of(pid)) tids.push_back(innermost_tid(pid, tid));
  for (uint32_t i = 0; i < slots; ++i) {
    Slot slot{};
    if (read_memory(pid, base + (kSlotsOffset + i * kSlotSize), &slot, sizeof slot) && slot.finishing && std::find(tids.begin(), tids.end(), slot.tid) != tids.end()) return true;
  }
  return false;
}

// Of a list of buffers, and of a message, the stub gets a copy without what is done.
static bool copy_rest(pid_t pid, const Whole &w, uint64_t (&args)[6], uint64_t done, uint64_t most, Remote to) {
  msghdr message{};
  iovec list[1024];
  uint64_t at = w.vector >= 0 ? args[w.vector] : 0, count = w.vector >= 0 ? args[w.vectors] : 0, first = 0;
  if (w.message >= 0) {
    if (!read_memory(pid, {args[w.message]}, &message, sizeof message)) return false;
    at = reinterpret_cast<uint64_t>(message.msg_iov), count = message.msg_iovlen;
  }
  if (count > 1024 || !read_memory(pid, {at}, list, count * sizeof(iovec))) return false;
  while (first < count && list[first].iov_len <= done) done -= list[first++].iov_len;
  if (first == count) return false;
  list[first].iov_base = static_cast<char *>(list[first].iov_base) + done;
  list[first].iov_len -= done;
  count -= first;
  if (most) count = cut_list(list + first, count, most, &iovec::iov_len);
  const Remote copy = to + sizeof message;
  message.msg_iov = reinterpret_cast<iovec *>(copy.value);
  message.msg_iovlen = count;
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  if (w.vector >= 0) args[w.vector] = copy.value, args[w.vectors] = count;
  else args[w.message] = to.value;
  return write_memory(pid, to, &message, sizeof message) && write_memory(pid, copy, list + first, count * sizeof(iovec));
}

bool finish_in_stub(pid_t pid, Thread &t, Remote base, uint32_t slots, uint64_t finish) {
  constexpr int ppoll = 271;
  const int32_t tid = innermost_tid(pid, t.tid);
  for (uint32_t i = 0; i < slots; ++i) {
    const Remote at = base + (kSlotsOffset + i * kSlotSize);
    Slot slot{};
    if (!read_memory(t.tid, at, &slot, sizeof slot) || slot.tid != tid || slot.state != uint32_t(SlotState::used) || slot.finishing) continue;
    user_regs_struct &r = t.raw;
    const uint64_t nr = t.regs.rax, kept[8] = {r.rbx, r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9, r.rip};
    uint64_t args[6] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
    const Whole w = whole_of(nr, args);
    const int fd = w.fd < 0 ? -1 : int(args[w.fd]);
    skip_done(w, args, t.done);
    if (w.count >= 0 && t.most) args[w.count] = std::min(args[w.count], t.most);
    if ((w.vector >= 0 || w.message >= 0) && !copy_rest(t.tid, w, args, t.done, t.most, at + kBufferOffset)) return false;
    memcpy(slot.rest_registers, kept, sizeof kept);
    memcpy(slot.rest_call, args, sizeof args);
    slot.rest_call[6] = nr;
    slot.rest_done = t.done;
    slot.rest_most = t.most;
    slot.rest_ready = {fd, int16_t(is_writing(nr) ? 4 : 1), 0};
    memset(slot.scratch, 0, sizeof slot.scratch);
    slot.rest_over = 0;
    slot.deadline_argument = 0;
    slot.finishing = 1;
    if (!write_memory(t.tid, at, &slot, sizeof slot)) return false;
    r.rbx = at.value;
    r.rdi = at.value + offsetof(Slot, rest_ready), r.rsi = 1, r.rdx = fd < 0 || t.most ? at.value + offsetof(Slot, scratch) : 0, r.r10 = 0, r.r8 = 8;
    r.rax = ppoll;
    r.rip = finish;
    r.orig_rax = uint64_t(-1);
    return true;
  }
  return false;
}

}  // namespace mosrun
