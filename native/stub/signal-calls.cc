// Guest: the program's own view of signals. Masks and actions are told to the deputy before the call returns, so that the kernel at home decides by
// them; the alternate stack and sigreturn concern the program's memory and are done here.
#include "stub.h"

namespace mosrun {

namespace {

constexpr u64 kUnblockable = bit(9) | bit(19);

bool on_altstack(const AltStack &s, u64 sp) { return s.size && sp > s.sp && sp - s.sp <= s.size; }

i64 change_mask(Trap &trap, u64 mask) {
  mask &= ~kUnblockable;
  if (mask == trap.slot->mask) return 0;
  if (ask(trap, Op::set_mask, 0, mask)) return kAgain;                  // a signal is to be handled first
  trap.slot->mask = mask;
  return 0;
}

i64 procmask(Trap &trap, u64 *a) {
  if (a[3] != 8) return -EINVAL_;
  u64 set = 0, old = trap.slot->mask;
  if (a[1]) {
    if (copy_program(&set, pointer<void>(a[1]), 8)) return -EFAULT_;
    u64 mask = int(a[0]) == 0 ? old | set : int(a[0]) == 1 ? old & ~set : set;   // SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK
    if (u32(a[0]) > 2) return -EINVAL_;
    if (i64 again = change_mask(trap, mask)) return again;
  }
  return a[2] && copy_program(pointer<void>(a[2]), &old, 8) ? -EFAULT_ : 0;
}

i64 action(Trap &trap, u64 *a) {
  u64 signal = a[0];
  if (a[3] != 8) return -EINVAL_;
  if (signal < 1 || signal > u64(kSignals) || (a[1] && (signal == 9 || signal == 19))) return -EINVAL_;
  SigAction &mine = trap.slot->process->actions[signal - 1], old = mine, act;
  if (a[1]) {
    if (copy_program(&act, pointer<void>(a[1]), sizeof act)) return -EFAULT_;
    act.flags &= 0xdc000807;                                            // what the kernel keeps (UAPI_SA_FLAGS)
    act.mask &= ~kUnblockable;
    if (i64 result = tell_action(trap, signal, act, true)) return result;
  }
  return a[2] && copy_program(pointer<void>(a[2]), &old, sizeof old) ? -EFAULT_ : 0;
}

i64 altstack(Trap &trap, u64 *a) {
  AltStack &mine = trap.slot->altstack, old = mine, fresh;
  u64 sp = trap.context->regs.sp;
  bool on = !(mine.flags & int(0x80000000)) && on_altstack(mine, sp);
  if (a[0]) {
    if (copy_program(&fresh, pointer<void>(a[0]), sizeof fresh)) return -EFAULT_;
    if (on) return -EPERM_;
    int mode = fresh.flags & 0x7fffffff;
    if (mode != 0 && mode != 1 && mode != 2) return -EINVAL_;
    if (mode == 2) fresh.sp = fresh.size = 0;                           // SS_DISABLE
    else if (fresh.size < 2048) return -ENOMEM_;                        // MINSIGSTKSZ
    fresh.flags &= int(0x80000000) | 2;                                 // SS_AUTODISARM
  }
  if (a[0]) mine = fresh;                                               // before the old one is told, which may fail
  old.flags = (old.flags & int(0x80000000)) | (!old.size ? 2 : on ? 1 : 0);
  return a[1] && copy_program(pointer<void>(a[1]), &old, sizeof old) ? -EFAULT_ : 0;
}

// rt_sigreturn(2) of the program's own frame: it becomes the frame that this handler returns by.
i64 sigreturn(Trap &trap) {
  Context &c = *trap.context;
  Context from;
  if (copy_program(&from, pointer<void>(c.regs.sp), sizeof from)) {     // the kernel would raise SIGSEGV: so does home
    return go_home(trap, nr_rt_sigreturn), kAgain;
  }
  if (i64 again = change_mask(trap, from.mask)) return again;
  u64 keep_mask = c.mask;
  AltStack keep_stack = c.stack;
  constexpr u64 changeable = 0x50dd5;                                   // FIX_EFLAGS (arch/x86/kernel/signal.c)
  u64 flags = (c.regs.flags & ~changeable) | (from.regs.flags & changeable);
  uint16_t cs = c.regs.cs, ss = c.regs.ss;
  u64 own_fp = c.regs.fpstate;
  c.regs = from.regs;
  c.regs.flags = flags;
  c.regs.cs = cs;
  c.regs.ss = ss;
  c.mask = keep_mask;
  c.stack = keep_stack;
  if (!from.regs.fpstate) c.regs.fpstate = 0;
  else {
    // The program's FPU state goes to where the kernel had put ours, whose size is right for this processor.
    u32 size = 512, theirs = 512, magic = 0;
    auto *own = pointer<uint8_t>(own_fp);
    copy(&magic, own + 464, 4);
    if (magic == kFpMagic1) copy(&size, own + 468, 4);
    copy_program(&magic, pointer<void>(from.regs.fpstate + 464), 4);
    if (magic == kFpMagic1) copy_program(&theirs, pointer<void>(from.regs.fpstate + 468), 4);
    if (theirs == size && !copy_program(own, pointer<void>(from.regs.fpstate), size)) c.regs.fpstate = own_fp;
  }
  trap.slot->altstack.sp = from.stack.sp;
  trap.slot->altstack.size = from.stack.flags & 2 ? 0 : from.stack.size;
  trap.slot->altstack.flags = from.stack.flags & (int(0x80000000) | 2);
  return 0;
}

}  // namespace

i64 tell_action(Trap &trap, u64 signal, const SigAction &action, bool by_call) {
  Request r{};
  r.op = Op::set_action;
  r.args[0] = signal;
  r.args[1] = by_call;
  r.in_size = sizeof action;
  IoVec in[2] = {{}, {address(&action), sizeof action}};
  Reply reply{};
  i64 result = exchange(trap.slot, r, in, 2, nullptr, 0, reply);
  trap.signal_waits |= reply.flags & kSignalWaits;
  if (!result) trap.slot->process->actions[signal - 1] = action;
  return result;
}

i64 signal_call(Trap &trap, u32 nr, u64 *args) {
  switch (nr) {
    case nr_rt_sigprocmask: return procmask(trap, args);
    case nr_rt_sigaction: return action(trap, args);
    case nr_sigaltstack: return altstack(trap, args);
    case nr_rt_sigreturn: return sigreturn(trap);
    default: return -ENOSYS_;
  }
}

}  // namespace mosrun
