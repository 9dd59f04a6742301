// Guest: a system call that the filter did not let through arrives here as SIGSYS, on the slot's stack, with every register of the program in the
// frame. The table says where it is done; the result goes into the frame, and rt_sigreturn continues the program.
#include "syscalls.h"
#include "times.h"

namespace mosrun {

using syscalls::Place;
using syscalls::Special;

namespace {

i64 drain(int fd, u64 left, uint8_t *scratch) {
  while (left) {
    u64 part = minimum<u64>(left, 64 << 10);
    if (i64 error = receive_all(fd, scratch, part)) return error;
    left -= part;
  }
  return 0;
}

// Receives the reply's data into `out`. The program may have unmapped its buffer meanwhile: then the rest is read past, and it gets EFAULT.
i64 receive_data(Slot *slot, u64 size, IoVec *out, u64 outs) {
  u64 left = size;
  while (left) {
    while (outs && !out->length) ++out, --outs;
    if (!outs) return drain(slot->channel, left, buffer(slot)) ? -EPIPE_ : 0;
    IoVec part[8];
    u64 n = 0, room = left;
    for (; n < outs && n < 8 && room; ++n) {
      part[n] = {out[n].base, minimum(out[n].length, room)};
      room -= part[n].length;
    }
    MsgHdr message{};
    message.iov = address(part);
    message.iov_length = n;
    i64 got = sys(nr_recvmsg, u64(slot->channel), address(&message), 0);
    if (got == -EINTR_) continue;
    if (got == -EFAULT_) return drain(slot->channel, left, buffer(slot)) ? -EPIPE_ : -EFAULT_;
    if (got <= 0) return -EPIPE_;
    left -= u64(got);
    for (u64 used = u64(got); used;) {
      u64 step = minimum(used, out->length);
      out->base += step;
      out->length -= step;
      used -= step;
      if (!out->length && used) ++out, --outs;
    }
  }
  return 0;
}

}  // namespace

[[noreturn]] void guest_dies(Ending why) {
  for (;;) sys(nr_exit_group, u64(why));
}

// Sends one request and takes its reply. An end of the stream is the end of the guest: exec and exit at home look like this, and so does a lost
// home; nothing that the guest could still do would have an effect.
i64 exchange(Slot *slot, Request &r, IoVec *in, u64 ins, IoVec *out, u64 outs, Reply &reply) {
  r.magic = kRequestMagic;
  r.after = after_behind(slot);
  tell_times(slot, r);
  in[0] = {address(&r), sizeof r};
  if (slot->windows_waiting && r.in_size > kSmallRequest) receive_windows(slot);
  if (send_all(slot->channel, in, ins)) guest_dies(Ending::disconnected);
  if (slot->windows_waiting) receive_windows(slot);
  if (await_reply(slot, reply)) guest_dies(Ending::disconnected);
  if (reply.flags & kDrop) slot->drops = 1;
  i64 error = receive_data(slot, reply.out_size, out, outs);
  if (error == -EPIPE_) guest_dies(Ending::disconnected);
  if (error && reply.result >= 0) reply.result = error;
  return reply.result;
}

i64 request(Slot *slot, Op op, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5) {
  Request r{};
  r.op = op;
  u64 args[6] = {a0, a1, a2, a3, a4, a5};
  copy(r.args, args, sizeof args);
  IoVec in[1];
  Reply reply{};
  return exchange(slot, r, in, 1, nullptr, 0, reply);
}

i64 ask(Trap &trap, Op op, u32 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5) {
  Request r{};
  r.op = op;
  r.nr = uint16_t(nr);
  u64 args[6] = {a0, a1, a2, a3, a4, a5};
  copy(r.args, args, sizeof args);
  IoVec in[1];
  Reply reply{};
  i64 result = exchange(trap.slot, r, in, 1, nullptr, 0, reply);
  trap.signal_waits |= reply.flags & kSignalWaits;
  return result;
}

// Home is asked to take the process back, or says that the call is to fail; the call is issued again there. Every thread is called to where its context is its own.
i64 go_home(Trap &trap, int reason) {
  bool may_fail = reason >= 0 && reason != nr_rt_sigreturn;
  if (i64 error = request(trap.slot, Op::come_home, u64(i64(reason)), may_fail)) return error;
  call_home(trap.slot->process);
  return kAgain;
}

void call_home(Process *process) {
  Lock lock(&control().lock);
  store(&process->want_park, 1);
  call_threads(process, nullptr);
}

void call_threads(Process *process, Slot *except) {
  Control &c = control();
  for (u32 i = 0; i < c.slots; ++i) {
    Slot *slot = slot_at(i);
    if (slot != except && slot->state == u32(SlotState::used) && slot->process == process && slot->tid)
      sys(nr_tgkill, u64(process->pid), u64(slot->tid), kControlSignal);
  }
}

i64 dispatch(Trap &trap, u32 nr, u64 *args) {
  i64 result = 0;
  if (nr != nr_mmap && nr != nr_mprotect) control().mapped = 0;
  if (serve_look(trap.slot, nr, args, result) || serve_status(trap.slot, nr, args, result)) return result;
  if (nr == syscalls::nr_write && write_behind(trap, args, result)) return result;
  trap.slot->saw_changes = load(&control().behind_changes);
  ReadCall read(trap, nr, args, result);
  if (read.served()) return result;
  forget_written(nr, args);
  const bool ends_unheard = nr == nr_close && is_plain_file(u32(args[0]));
  forget_plain_files(nr, args);
  if (ends_unheard && close_behind(trap.slot, u32(args[0]))) return 0;
  switch (syscalls::place_of(nr, args)) {
    case Place::native: return sys(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
    case Place::home:
      result = forward_call(trap, nr, args);
      if (nr == syscalls::nr_getdents64) may_be_listed(trap.slot, args[1], result);
      return result;
    case Place::comehome: return go_home(trap, int(nr));
    case Place::stub: case Place::special: return special_call(trap, nr, args);
    case Place::absent: return -ENOSYS_;
  }
  return -ENOSYS_;
}

i64 special_call(Trap &trap, u32 nr, u64 *args) {
  switch (syscalls::calls[nr].special) {
    case Special::mmap: case Special::munmap: case Special::mremap: case Special::mprotect: case Special::madvise: case Special::mlock: case Special::mincore: case Special::brk:
    case Special::setrlimit:
      return memory_call(trap, nr, args);
    case Special::clone: case Special::clone3: case Special::fork: case Special::vfork: case Special::execve: case Special::execveat:
    case Special::exit: case Special::exit_group: case Special::set_tid_address: case Special::set_robust_list: case Special::get_robust_list:
    case Special::rseq: case Special::arch_prctl: case Special::prctl: case Special::membarrier:
      return thread_call(trap, nr, args);
    case Special::rt_sigaction: case Special::rt_sigprocmask: case Special::rt_sigreturn: case Special::sigaltstack:
      return signal_call(trap, nr, args);
    case Special::clock_gettime: case Special::gettimeofday: case Special::time: case Special::nanosleep: case Special::clock_nanosleep:
    case Special::futex: case Special::futex_wait: case Special::futex_waitv: case Special::futex_wake: case Special::futex_requeue: case Special::getrusage: case Special::times:
      return time_call(trap, nr, args);
    case Special::getrandom:
      trap.slot->rest_ip = 0;                                           // of one that began at home: it is done anew, all of it
      return bring_range(args[0], minimum<u64>(args[1], 32 << 20), true) ? sys(nr, args[0], args[1], args[2]) : -EFAULT_;
    case Special::getcpu:
      return bring_range(args[0], sizeof(u32), true) && bring_range(args[1], sizeof(u32), true) ? sys(nr, args[0], args[1], args[2]) : -EFAULT_;
    case Special::semctl: case Special::mq_notify: return ipc_call(trap, nr, args);
    default: return forward_call(trap, nr, args);
  }
}

// The call is made once more, unless the thread is wanted elsewhere. From a function of the vdso it is the function that is called once more: its code
// is not the same there.
static void again(Slot *slot, Context &context) {
  Registers &regs = context.regs;
  regs.ip -= 2;
  const u64 clock = control().vdso_clock;
  if (!clock || regs.ip - clock >= kClockCode) return;
  regs.ip = clock;
  regs.flags &= ~kTrapFlag;
  slot->stepping = 0;
  sys(nr_tgkill, u64(slot->process->pid), u64(slot->tid), kControlSignal);
}

extern "C" void guest_trap(int, uint8_t *info, Context *context) {
  Slot *slot = this_slot();
  Registers &regs = context->regs;
  Trap trap{slot, context, false};
  u32 arch;
  copy(&arch, info + 28, 4);                                            // si_arch
  if (arch != 0xc000003e) {                                             // int 0x80 and x32: another calling convention, served at home
    go_home(trap, -4);
    regs.ip -= 2;
    return;
  }
  u64 args[6] = {regs.di, regs.si, regs.dx, regs.r10, regs.r8, regs.r9};
  u32 nr = u32(regs.ax);
  if (nr == nr_rt_sigreturn) {
    age_look();
    if (signal_call(trap, nr, args) == kAgain) regs.ip -= 2;
  } else {
    CallTime time(slot, nr < kPageFetched ? nr : kPageFetched - 1);
    i64 result = regs.ax >> 32 || nr & 0x40000000 ? -ENOSYS_ : dispatch(trap, nr, args);
    if (result == kAgain) again(slot, *context);
    else regs.ax = u64(result);
  }
  if (slot->drops) drop_reads(slot);
  if (!trap.signal_waits && !slot->signal_waits) return;
  if (!in_clocks(regs.ip)) return deliver_waiting(slot, context);
  slot->signal_waits = 1;                                               // not the program's own code: the control signal steps out of it first
  sys(nr_tgkill, u64(slot->process->pid), u64(slot->tid), kControlSignal);
}

}  // namespace mosrun
