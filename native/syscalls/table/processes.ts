// Processes and threads, their credentials, limits and scheduling.
import {
  comehome,
  command,
  dirfd,
  fd,
  home,
  inout,
  int,
  into,
  is,
  native,
  out,
  set,
  special,
  string,
  stub,
  value,
} from '../model.js';

const RUSAGE = 144;
const SIGINFO = 128;
const RLIMIT = 16;

const CLONE = {
  VM: 0x100,
  SIGHAND: 0x800,
  THREAD: 0x10000,
  NEWTIME: 0x80,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
};

const unshare = home(272, 'unshare', value).because("changes what the process's numbers or memory are").changesCreds();
for (const flag of Object.values(CLONE)) unshare.comehomeIf(set(0, flag));
// With no type given the descriptor may be of any kind.
const setns = home(308, 'setns', fd, value)
  .because("may change what the process's numbers are")
  .changesCreds()
  .comehomeIf(is(1, 0));
for (const flag of [CLONE.NEWTIME, CLONE.NEWUSER, CLONE.NEWPID]) setns.comehomeIf(set(1, flag));

export const processes = [
  native(24, 'sched_yield', 0),
  // Equal on both nodes by construction: the guest's threads are made with the numbers of home's.
  native(39, 'getpid', 0),
  special(56, 'clone', 'clone', value, value, value, value, value),
  special(57, 'fork', 'fork'),
  special(58, 'vfork', 'vfork'),
  special(59, 'execve', 'execve', string, value, value),
  special(60, 'exit', 'exit', value),
  // Nothing is written when no child has changed state (WNOHANG), hence inout.
  home(61, 'wait4', value, inout.fixed(4), value, inout.fixed(RUSAGE)).blocks('sys'),
  home(97, 'getrlimit', value, out.fixed(RLIMIT)),
  special(98, 'getrusage', 'getrusage', value, out.fixed(RUSAGE)).asks(),
  special(100, 'times', 'times', out.fixed(32)).asks(),
  comehome(101, 'ptrace', 4, 'tracing needs the traced and the tracing process at one node'),
  home(102, 'getuid'),
  home(104, 'getgid'),
  home(105, 'setuid', value).changesCreds(),
  home(106, 'setgid', value).changesCreds(),
  home(107, 'geteuid'),
  home(108, 'getegid'),
  home(109, 'setpgid', value, value),
  home(110, 'getppid'),
  home(111, 'getpgrp'),
  home(112, 'setsid'),
  home(113, 'setreuid', value, value).changesCreds(),
  home(114, 'setregid', value, value).changesCreds(),
  // With no room at all (0) the call returns the number of groups.
  home(115, 'getgroups', int, out.ret(0, 4)),
  home(116, 'setgroups', int, into.arg(0, 4)).changesCreds(),
  home(117, 'setresuid', value, value, value).changesCreds(),
  home(118, 'getresuid', out.fixed(4), out.fixed(4), out.fixed(4)),
  home(119, 'setresgid', value, value, value).changesCreds(),
  home(120, 'getresgid', out.fixed(4), out.fixed(4), out.fixed(4)),
  home(121, 'getpgid', value),
  home(122, 'setfsuid', value).changesCreds(),
  home(123, 'setfsgid', value).changesCreds(),
  home(124, 'getsid', value),
  // capget(header, data): an unknown version is corrected in the header and is EINVAL. Version 1 has 12 bytes of data,
  // versions 2 and 3 have 24.
  home(125, 'capget', inout.fixed(8), inout.fixed(24)).outOnError(),
  home(126, 'capset', inout.fixed(8), into.fixed(24)).outOnError().changesCreds(),
  home(140, 'getpriority', value, value),
  home(141, 'setpriority', value, value, value),
  home(142, 'sched_setparam', value, into.fixed(4)),
  home(143, 'sched_getparam', value, out.fixed(4)),
  home(144, 'sched_setscheduler', value, value, into.fixed(4)),
  home(145, 'sched_getscheduler', value),
  home(146, 'sched_get_priority_max', value),
  home(147, 'sched_get_priority_min', value),
  home(148, 'sched_rr_get_interval', value, out.fixed(16)),
  comehome(135, 'personality', 1, 'changes how memory is laid out').homeIf(is(0, 0xffffffff)).asks(),
  comehome(154, 'modify_ldt', 3, "segments of the home-node's kernel"),
  special(157, 'prctl', 'prctl', int, command('prctl', 0), value, value, value).asks(),
  special(158, 'arch_prctl', 'arch_prctl', int, command('arch_prctl', 0))
    .asks()
    .nativeIf(is(0, 0x1001))
    .nativeIf(is(0, 0x1002)),
  // A limit on CPU time brings it home: that is counted there.
  special(160, 'setrlimit', 'setrlimit', value, into.fixed(RLIMIT)).asks(),
  native(186, 'gettid', 0),
  home(203, 'sched_setaffinity', value, int, into.arg(1)),
  // The kernel's call returns the bytes it filled, unlike the C library's.
  home(204, 'sched_getaffinity', value, int, out.ret(1)),
  stub(218, 'set_tid_address', 'set_tid_address', 1),
  special(231, 'exit_group', 'exit_group', value),
  // siginfo is filled field by field, and also when the call fails; rusage only when a child was found.
  home(247, 'waitid', value, value, inout.fixed(SIGINFO), value, inout.fixed(RUSAGE)).blocks('sys').outOnError(),
  home(251, 'ioprio_set', value, value, value),
  home(252, 'ioprio_get', value, value),
  unshare,
  stub(273, 'set_robust_list', 'set_robust_list', 2),
  // get_robust_list(tid, head **, size *): of this process's own threads, whose lists are in the guest.
  stub(274, 'get_robust_list', 'get_robust_list', 3),
  special(302, 'prlimit64', 'setrlimit', value, value, into.fixed(RLIMIT), out.fixed(RLIMIT)).asks(),
  setns,
  stub(309, 'getcpu', 'getcpu', 3),
  // sched_setattr(pid, attr, flags): the first field is the length, 0 meaning the first version's 48; corrected with E2BIG.
  home(314, 'sched_setattr', value, inout.first(48), value).outOnError(),
  home(315, 'sched_getattr', value, inout.arg(2), int, value),
  comehome(317, 'seccomp', 3, "a filter of the program's own would also judge the deputy's calls"),
  special(322, 'execveat', 'execveat', dirfd, string, value, value, value),
  stub(334, 'rseq', 'rseq', 4),
  home(434, 'pidfd_open', value, value).returnsFd(),
  special(435, 'clone3', 'clone3', into.arg(1), value),
  home(438, 'pidfd_getfd', fd, value, value).returnsFd(),
];
