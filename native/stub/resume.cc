// Home: a thread goes back to the program, natively: after a return, or a move that failed.
#include "stub.h"

namespace mosrun {

namespace {

// A call with a time-out that was let go is issued again with what is left. Where the kernel writes that over the time, so does this. Where the time
// may stand in memory that is not to change, the register points into the slot until the kernel has read it; a mover that comes later puts the
// program's own value back, and keeps in mind when the wait is to end (mover/carried.h).
void continue_waiting(Slot *slot) {
  Registers &r = saved_frame(slot)->context.regs;
  i64 deadline = i64(slot->deadline);
  slot->deadline_argument = 0;
  if (!deadline || slot->deadline_ip != r.ip + 2) return;
  i64 rest = maximum<i64>(0, deadline - now());
  auto point = [&](u64 number, u64 &value, i64 unit) {
    if (!value) return;
    slot->scratch[0] = u64(rest / 1000000000);
    slot->scratch[1] = u64(rest % 1000000000 / unit);
    bool told = r.ax == 23 || r.ax == 270 || r.ax == 271;
    IoVec local{address(slot->scratch), sizeof(TimeSpec)}, remote{value, sizeof(TimeSpec)};
    if (told && sys(nr_process_vm_writev, sys(nr_gettid), address(&local), 1, address(&remote), 1, 0) == i64(sizeof(TimeSpec))) return;
    slot->deadline_argument = number;
    slot->deadline_value = value;
    value = address(slot->scratch);
  };
  switch (r.ax) {
    case 7: r.dx = u64((rest + 999999) / 1000000); break;                // poll
    case 232: case 281: r.r10 = u64((rest + 999999) / 1000000); break;   // epoll_wait, epoll_pwait
    case 35: point(1, r.di, 1); break;                                   // nanosleep
    case 230: if (!(r.si & 1)) point(3, r.dx, 1); break;                 // clock_nanosleep, if not until a point in time
    case 271: case 128: point(3, r.dx, 1); break;                        // ppoll, rt_sigtimedwait
    case 202: if (!(r.si & 0x7f)) point(4, r.r10, 1); break;             // futex: FUTEX_WAIT alone is relative
    case 220: case 441: point(4, r.r10, 1); break;                       // semtimedop, epoll_pwait2
    case 270: point(5, r.r8, 1); break;                                  // pselect6
    case 23: point(5, r.r8, 1000); break;                                // select
    default: break;
  }
}

// Caught but not delivered: its handler comes first. In the kernel's queue it would be behind others of its number; there it goes if its frame has no
// room that is mapped.
void handle_in_hand(Slot *slot, Context *context) {
  u32 signal = slot->in_hand;
  SigAction &action = control().process.actions[signal - 1], act = slot->caught_for;
  Registers regs = context->regs;
  u64 begun_ip = slot->begun_ip, rest_ip = slot->rest_ip;
  end_begun_call(slot, context->regs, act.flags);
  u64 before = enter_handler(slot, act);
  if (deliver(slot, context, act, slot->info, before)) {
    if ((act.flags & 0x80000000) && action.handler == act.handler) {                  // SA_RESETHAND
      action.handler = 0;
      sys(nr_rt_sigaction, signal, address(&action), 0, 8);
    }
    return;
  }
  context->regs = regs;
  slot->begun_ip = begun_ip;
  slot->rest_ip = rest_ip;
  slot->mask = before;
  sys(nr_rt_tgsigqueueinfo, u64(control().pid), u64(slot->tid), signal, address(slot->info));
}

}  // namespace

// Back to the program. Nothing of the stub is in use afterwards but the frame, until the kernel has loaded it.
[[noreturn]] void leave_stub(Slot *slot) {
  Control &c = control();
  Frame *frame = saved_frame(slot);
  u64 waiting = 0;
  if (slot->in_hand) handle_in_hand(slot, &frame->context);
  if (slot->fatal) sys(nr_rt_tgsigqueueinfo, u64(c.pid), u64(slot->tid), slot->fatal, address(slot->fatal_info));
  sys(nr_set_tid_address, slot->tid_address);
  sys(nr_set_robust_list, slot->robust_list, slot->robust_length ? slot->robust_length : 24);
  if (read_fs() != slot->fs_base) write_fs(slot->fs_base);
  if (read_gs() != slot->gs_base) write_gs(slot->gs_base);
  if (slot->rseq) sys(nr_rseq, slot->rseq, slot->rseq_length, 0, slot->rseq_signature);
  frame->context.stack = slot->altstack;
  frame->context.stack.flags = slot->altstack.size ? slot->altstack.flags & ~1 : 2;   // SS_ONSTACK is told, not set; none: SS_DISABLE
  frame->context.mask = slot->mask;
  // A handler that will run before the call is issued again ends it, if it is of that kind.
  sys(127, address(&waiting), 8);                                       // rt_sigpending
  for (int s = 1; s <= kSignals && (slot->begun_ip || slot->rest_ip); ++s)
    if ((waiting & ~slot->mask & bit(s)) && c.process.actions[s - 1].handler > 1) end_begun_call(slot, frame->context.regs, c.process.actions[s - 1].flags);
  continue_waiting(slot);
  forget_nudges();
  finish_call(slot);
  resume_home(frame, &c.inside);
}

}  // namespace mosrun
