// Guest: execve(2). Home runs the new program; what its arguments and environment are goes there from here, and this side ends with the old one.
#include "stub.h"

namespace mosrun {

namespace {

constexpr u64 kExecSpace = 8 << 20;
constexpr i64 kNoRoom = -7;                                             // E2BIG: of this side; home's kernel may take more

struct Strings {
  uint8_t *data;
  u64 used = 0;
  Relocation *relocations;
  u32 count = 0;

  i64 add_string(u64 from, u64 &offset) {
    offset = used;
    for (;;) {
      u64 part = minimum(kPage - from % kPage, kExecSpace / 2 - used);
      if (!part) return kNoRoom;
      if (from >> 47 || copy_program(data + used, pointer<void>(from), part)) return -EFAULT_;
      for (u64 i = 0; i < part; ++i)
        if (!data[used + i]) {
          used = align_up(used + i + 1, 8);
          return 0;
        }
      used += part;
      from += part;
    }
  }
  // A null-terminated array of strings. Its offset goes to `offset`.
  i64 add_list(u64 list, u64 &offset) {
    u64 n = 0;
    for (u64 p = 1; list && p; ++n) {
      if (copy_program(&p, pointer<void>(list + n * 8), 8)) return -EFAULT_;
      if (!p) break;
    }
    if (used + (n + 1) * 8 > kExecSpace / 2) return kNoRoom;
    offset = used;
    zero(data + used, (n + 1) * 8);
    used += (n + 1) * 8;
    for (u64 i = 0; i < n; ++i) {
      u64 p, at;
      if (copy_program(&p, pointer<void>(list + i * 8), 8)) return -EFAULT_;
      if (i64 error = add_string(p, at)) return error;
      if (count == 65535) return kNoRoom;
      relocations[count++] = {u32(offset + i * 8), u32(at)};
    }
    return 0;
  }
};

}  // namespace

i64 exec_call(Trap &trap, u32 nr, u64 *a) {
  u64 first = nr == nr_execve ? 0 : 1;
  i64 space = sys(nr_mmap, 0, kExecSpace, prot_read | prot_write, map_private | map_anonymous | map_noreserve, u64(-1), 0);
  if (failed(space)) return space;
  Strings s{pointer<uint8_t>(u64(space) + kExecSpace / 4), 0, pointer<Relocation>(u64(space)), 0};
  Request r{};
  r.op = Op::exec;
  r.nr = uint16_t(nr);
  copy(r.args, a, sizeof r.args);
  i64 result = s.add_string(a[first], r.args[first]);
  if (!result) result = s.add_list(a[first + 1], r.args[first + 1]);
  if (!result) result = s.add_list(a[first + 2], r.args[first + 2]);
  bool fits = result != kNoRoom;
  if (!result) {
    r.in_pointers = uint8_t(7 << first);
    r.relocations = uint16_t(s.count);
    r.in_size = u32(s.count * sizeof(Relocation) + s.used);
    IoVec in[3] = {{}, {address(s.relocations), s.count * sizeof(Relocation)}, {address(s.data), s.used}};
    Reply reply{};
    result = exchange(trap.slot, r, in, 3, nullptr, 0, reply);         // returns only if it failed
    trap.signal_waits |= reply.flags & kSignalWaits;
  }
  sys(nr_munmap, u64(space), kExecSpace);
  return fits ? result : go_home(trap, int(nr));
}

}  // namespace mosrun
