// Home: does everything a request points to lie within its own buffers, to the last byte that the call will read or write? By the same table that
// the guest marshals by. A pointer that is null, or one that no process may use, is the kernel's to refuse.
#include "stub.h"
#include "syscalls.h"

namespace mosrun {

using syscalls::Arg;
using syscalls::Dir;
using syscalls::Len;

namespace {

constexpr u64 kVectors = 1024;              // UIO_MAXIOV
constexpr u64 kNameMax = 4096;              // more than any socket address
constexpr u64 kSelfSized = 4096;            // a structure that tells its own size
constexpr u64 kGetAll = 13, kSetAll = 17, kIpcStat = 2;

class Check {
 public:
  Check(const Buffers &buffers, u32 nr, const u64 *args) : buffers_(buffers), nr_(nr), args_(args) {}

  // The kernel goes through memory from its beginning, and stops where there is none.
  bool reaches(u64 at, u64 n) const { return inside(at, n) || (buffers_.cut && inside(at, 0)); }

  bool argument(unsigned i) {
    const Arg &arg = syscalls::calls[nr_].arg[i];
    u64 at = args_[i];
    if (arg.dir == Dir::command) return command(arg, at);
    if (!at || at == kBadPointer) return true;
    switch (arg.dir) {
      case Dir::value: case Dir::fd: case Dir::dirfd: case Dir::command: return true;
      case Dir::string: return string(at);
      case Dir::sigset_in: return inside(at, arg.size) && (arg.size != 16 || !word(at) || inside(word(at), 8));
      case Dir::iovec_in: case Dir::iovec_out: return vectors(at, args_[arg.a]);
      case Dir::msg_in: case Dir::msg_out: return message(at);
      case Dir::ifconf: return interfaces(at);
      case Dir::mmsg_in: case Dir::mmsg_out: return false;               // asked for one message after another
      case Dir::in: case Dir::out: case Dir::inout: break;
    }
    u64 n;
    return length(arg, at, n) && (arg.len == Len::arg || arg.len == Len::ret ? reaches(at, n) : inside(at, n));
  }

 private:
  bool inside(u64 at, u64 n) const {
    auto in = [&](u64 start, u64 size) { return at >= start && at - start <= size && n <= size - (at - start); };
    return in(buffers_.in, buffers_.in_size) || in(buffers_.out, buffers_.out_size);
  }
  template <class T = u64> T word(u64 at) const {
    T value;
    copy(&value, pointer<void>(at), sizeof value);
    return value;
  }

  bool string(u64 at) const {
    for (; inside(at, 1); ++at)
      if (!*pointer<char>(at)) return true;
    return false;
  }

  bool length(const Arg &arg, u64 at, u64 &n) const {
    switch (arg.len) {
      case Len::none: n = 0; return true;
      case Len::fixed: n = arg.size; return true;
      case Len::arg: case Len::ret: {
        u64 count = args_[arg.a];
        if (syscalls::int_args[nr_] >> arg.a & 1) count = u32(count);
        if (count > kTransferMax && !buffers_.cut) return false;
        count = minimum<u64>(count, kTransferMax);
        n = arg.plus + count * arg.size;
        return true;
      }
      case Len::pointer: {
        u64 room = args_[arg.a];
        if (!inside(room, 4)) return false;
        n = minimum<u64>(word<u32>(room), kTransferMax);
        if (i32(word<u32>(room)) < 0) n = 0;                              // refused by the kernel, before anything is written
        return true;
      }
      case Len::first: {
        if (!inside(at, 4)) return false;
        u32 own = word<u32>(at);
        n = minimum<u64>(own ? own : arg.size, kSelfSized) + arg.plus;
        return true;
      }
      case Len::fdset: {
        i64 count = i32(args_[0]);
        n = count <= 0 ? 0 : minimum<u64>((u64(count) + 63) / 64 * 8, 8192);
        return true;
      }
    }
    return false;
  }

  bool vectors(u64 at, u64 count) const {
    if (count > kVectors) return true;                                    // EINVAL, EMSGSIZE
    if (!inside(at, count * sizeof(IoVec))) return false;
    for (u64 i = 0; i < count; ++i) {
      IoVec one = word<IoVec>(at + i * sizeof(IoVec));
      if (one.length && !reaches(one.base, one.length)) return false;
    }
    return true;
  }

  bool message(u64 at) const {
    if (!inside(at, sizeof(MsgHdr))) return false;
    MsgHdr m = word<MsgHdr>(at);
    if (m.name && !inside(m.name, minimum<u64>(m.name_length, kNameMax))) return false;
    if (m.control && !inside(m.control, m.control_length)) return false;
    return vectors(m.iov, m.iov_length);
  }

  bool interfaces(u64 at) const {
    if (!inside(at, sizeof(InterfaceList))) return false;
    const auto list = word<InterfaceList>(at);
    return !list.buffer || (list.length >= 0 && inside(list.buffer, u64(list.length)));
  }

  // All semaphores of a set: as many as the set has.
  bool semaphores(u64 at) const {
    u64 status[16] = {};
    if (failed(sys(nr_, args_[0], 0, kIpcStat, address(status)))) return false;
    return inside(at, status[10] * 2);                                    // sem_nsems of struct semid64_ds
  }

  bool command(const Arg &arg, u64 at) const {
    u32 number = u32(args_[arg.a]);
    if (nr_ == syscalls::nr_semctl && (number == kGetAll || number == kSetAll)) return semaphores(at);
    syscalls::Command c = syscalls::command_of(syscalls::List(arg.plus), number);
    if (c.place != syscalls::Place::home) return false;
    if (c.dir == Dir::value || !at || at == kBadPointer) return true;
    if (c.dir == Dir::ifconf) return interfaces(at);
    return c.dir == Dir::string ? string(at) : inside(at, c.size);
  }

  const Buffers &buffers_;
  u32 nr_;
  const u64 *args_;
};

}  // namespace

bool within_buffers(const Buffers &buffers, u32 nr, const u64 *args) {
  Check check(buffers, nr, args);
  for (unsigned i = 0; i < syscalls::calls[nr].nargs; ++i)
    if (!check.argument(i)) return false;
  return true;
}

}  // namespace mosrun
