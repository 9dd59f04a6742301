// Guest: calls that go home, some in more than one request.
#include "marshal.h"
#include "rest.h"
#include "syscalls.h"

namespace mosrun {

namespace {

// sendmmsg and recvmmsg: one message after another, as the kernel does it.
i64 many_messages(Trap &trap, u32 nr, u64 *args) {
  bool receiving = nr == 299;
  u64 count = minimum<u64>(u32(args[2]), 1024), done = trap.slot->rest_ip == trap.context->regs.ip ? trap.slot->rest_done : 0;
  trap.slot->rest_ip = 0;
  i64 until = 0;
  if (receiving && args[4]) {
    TimeSpec t;
    if (copy_program(&t, pointer<void>(args[4]), sizeof t)) return -EFAULT_;
    if (t.seconds < 0 || u64(t.nanoseconds) >= 1000000000) return -EINVAL_;
    until = now() + nanoseconds(t, 1);
  }
  i64 result = 0;
  for (; done < count; ++done) {
    u64 flags = args[3];
    if (receiving && done && flags & 0x10000) flags |= msg_dontwait;     // MSG_WAITFORONE
    u64 one[6] = {args[0], args[1] + done * 64, flags & ~0x10000ull, 0, 0, 0};
    Marshalled call = marshal(trap, receiving ? 47 : 46, one);
    result = call.result;
    if (result == kAgain && call.unfinished) result = i64(call.unfinished);   // a part of a message ends the call, as after a signal
    else if (result == kAgain && done && !until) {
      trap.slot->rest_ip = trap.context->regs.ip;
      trap.slot->rest_done = done;
      return kAgain;
    }
    if (failed(result)) break;
    u32 length = u32(result);
    if (copy_program(pointer<void>(one[1] + 56), &length, 4)) return done ? i64(done) : -EFAULT_;
    if (call.unfinished || (!receiving && u64(result) < call.asked)) { ++done; break; }   // the next would come before the rest of this one
    if (until && now() >= until) { ++done; break; }
  }
  if (until && done) {                                                  // what is left of the time
    i64 left = maximum<i64>(0, until - now());
    TimeSpec t{left / 1000000000, left % 1000000000};
    if (copy_program(pointer<void>(args[4]), &t, sizeof t)) return -EFAULT_;
  }
  return done ? i64(done) : result;
}

// The stack grows here: its limit counts here as well. Never above the hard limit, which this node has for its guests.
void follow_limit(Trap &trap, u32 nr, const u64 *args) {
  bool one = nr == 160;                                                 // setrlimit; prlimit64 names the process
  RLimit wanted, here;
  if (u32(args[one ? 0 : 1]) != 3 || (!one && args[0] && int(args[0]) != trap.slot->process->pid)) return;   // RLIMIT_STACK
  u64 from = args[one ? 1 : 2];
  if (!from || copy_program(&wanted, pointer<void>(from), sizeof wanted) || sys(nr_prlimit64, 0, 3, 0, address(&here))) return;
  here.soft = minimum(wanted.soft, here.hard);
  sys(nr_prlimit64, 0, 3, address(&here), 0);
}

// Transfers of which a part may be done: issued again after a move (rest.h), or more than one request carries (read, write, pread64, pwrite64, and those of
// several buffers). What a second part adds, or its error, is as after a signal that came between.
bool in_parts(u32 nr, const u64 *args) {
  if (whole_of(nr, args).is) return true;
  return nr == syscalls::nr_pread64 || nr == syscalls::nr_pwrite64 || nr == syscalls::nr_readv || nr == syscalls::nr_preadv || nr == syscalls::nr_preadv2 || nr == syscalls::nr_pwritev || nr == syscalls::nr_pwritev2;
}

i64 transfer(Trap &trap, u32 nr, const u64 *args) {
  Slot *slot = trap.slot;
  u64 done = slot->rest_ip == trap.context->regs.ip ? slot->rest_done : 0;
  const u64 resumed = done;
  slot->rest_ip = 0;
  Whole w = whole_of(nr, args);
  if (nr == syscalls::nr_pread64 || nr == syscalls::nr_pwrite64) w.buffer = 1, w.count = 2;
  bool placed = nr == syscalls::nr_pread64 || nr == syscalls::nr_pwrite64 || nr == syscalls::nr_preadv || nr == syscalls::nr_preadv2 || nr == syscalls::nr_pwritev || nr == syscalls::nr_pwritev2;
  for (;;) {
    u64 now[6];
    copy(now, args, sizeof now);
    if (placed && done && ~args[3]) now[3] += done;                     // -1 (preadv2): it is the file's own position that has moved
    bool more = false;
    u64 asked = 0;
    if (w.count >= 0 && (done || (w.buffer >= 0 && args[w.count] > kTransferMax / 2 && args[w.count] < 1ull << 46))) {
      skip_done(w, now, done);
      if (w.buffer >= 0 && now[w.count] > kTransferMax / 2) now[w.count] = kTransferMax / 2, more = true;
      asked = now[w.count];
    }
    Marshalled call = marshal(trap, nr, now, w.count < 0 ? done : 0, resumed && done == resumed);
    i64 result = call.result;
    if (w.count < 0) asked = call.asked, more = call.cut;
    if (w.marked && w.stream) more = false;                             // what has come is what is given
    if (result == kAgain) {
      done += call.unfinished;
      if (done && (!placed || now[3] == ~0ull)) slot->rest_ip = trap.context->regs.ip, slot->rest_done = done;
      return result;
    }
    if (result < 0) return done ? i64(done) : result;
    done += u64(result);
    if (!more || u64(result) < asked) return i64(done);
  }
}

}  // namespace

i64 forward_call(Trap &trap, u32 nr, u64 *args) {
  if (nr == 299 || nr == 307) return many_messages(trap, nr, args);
  if (in_parts(nr, args)) return transfer(trap, nr, args);
  i64 result = marshal(trap, nr, args).result;
  if (result == 0 && (nr == 160 || nr == nr_prlimit64)) follow_limit(trap, nr, args);
  return result;
}

}  // namespace mosrun
