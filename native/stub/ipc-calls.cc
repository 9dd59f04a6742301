// Guest: calls whose arguments only another call, or the content of a structure, explains.
#include "syscalls.h"
#include "stub.h"

namespace mosrun {

namespace {

constexpr u64 kGetAll = 13, kSetAll = 17, kIpcStat = 2;                  // semctl(2)
constexpr u64 kSemidSize = 104, kNsemsOffset = 80;                      // struct semid64_ds (asm/sembuf.h)
constexpr int kSigevThread = 2;

i64 semaphores_call(Trap &trap, const u64 *args, u64 command, u64 in_size, u64 at, u64 out_size) {
  Request r{};
  r.op = Op::call;
  r.nr = uint16_t(syscalls::nr_semctl);
  r.args[0] = args[0];
  r.args[1] = args[1];
  r.args[2] = command;
  r.in_size = u32(in_size);
  r.out_size = r.out_fixed = u32(out_size);
  (in_size ? r.in_pointers : r.out_pointers) = 1 << 3;
  IoVec in[2] = {{}, {at, in_size}}, out[1] = {{at, out_size}};
  Reply reply{};
  i64 result = exchange(trap.slot, r, in, in_size ? 2 : 1, out, out_size ? 1 : 0, reply);
  trap.signal_waits |= reply.flags & kSignalWaits;
  return result;
}

// One value of two bytes for each semaphore of the set; how many there are IPC_STAT tells.
i64 all_semaphores(Trap &trap, const u64 *args) {
  uint8_t status[kSemidSize];
  u64 count = 0;
  i64 result = semaphores_call(trap, args, kIpcStat, 0, address(status), sizeof status);
  if (result == -13) return go_home(trap, syscalls::nr_semctl);                    // EACCES: one may write without reading
  if (failed(result)) return result;
  copy(&count, status + kNsemsOffset, 8);
  bool get = (args[2] & 0xff) == kGetAll;
  if (touch_range(args[3], count * 2, get) != i64(count * 2)) return -EFAULT_;
  return semaphores_call(trap, args, args[2], get ? 0 : count * 2, args[3], get ? count * 2 : 0);
}

}  // namespace

i64 ipc_call(Trap &trap, u32 nr, u64 *args) {
  if (nr == syscalls::nr_semctl && (u32(args[2]) == kGetAll || u32(args[2]) == kSetAll)) return all_semaphores(trap, args);
  if (nr == syscalls::nr_mq_notify && args[1]) {
    // sigev_value then points to a cookie, which only the program's memory has (mq_overview(7)).
    int notify;
    if (copy_program(&notify, pointer<void>(args[1] + 12), 4)) return -EFAULT_;
    if (notify == kSigevThread) return go_home(trap, syscalls::nr_mq_notify);
  }
  return forward_call(trap, nr, args);
}

}  // namespace mosrun
