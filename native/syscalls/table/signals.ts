// Signals are queued at home, where the real pid is; masks, stacks and frames belong to the guest.
import { fd, home, into, native, out, special, stub, value } from '../model.js';

const SIGINFO = 128;

export const signals = [
  special(13, 'rt_sigaction', 'rt_sigaction', value, value, value, value),
  special(14, 'rt_sigprocmask', 'rt_sigprocmask', value, value, value, value),
  stub(15, 'rt_sigreturn', 'rt_sigreturn', 0),
  home(34, 'pause').blocks('nohand'),
  home(62, 'kill', value, value),
  home(127, 'rt_sigpending', out.arg(1), value),
  // rt_sigtimedwait(set, info, timeout, size): EINTR also where no handler ran.
  home(128, 'rt_sigtimedwait', into.arg(3), out.fixed(SIGINFO), into.fixed(16), value).blocks('eintr').timeout('timespec', 2),
  home(129, 'rt_sigqueueinfo', value, value, into.fixed(SIGINFO)),
  special(130, 'rt_sigsuspend', 'rt_sigsuspend', into.arg(1), value).blocks('nohand').sigmask().asks(),
  stub(131, 'sigaltstack', 'sigaltstack', 2),
  home(200, 'tkill', value, value),
  // The kernel issues it itself, in place of a wait that a stop without a handler interrupted.
  native(219, 'restart_syscall', 0).blocks('block'),
  home(234, 'tgkill', value, value, value),
  home(297, 'rt_tgsigqueueinfo', value, value, value, into.fixed(SIGINFO)),
  home(424, 'pidfd_send_signal', fd, value, into.fixed(SIGINFO), value),
];
