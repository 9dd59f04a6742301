// Waiting for events: poll, select, epoll, and the descriptors made for it.
import { dirfd, fd, home, inout, int, into, out, sigset, sigsetPair, special, string, value } from '../model.js';

/** struct epoll_event is packed on x86_64: u32 events, u64 data. */
const EPOLL_EVENT = 12;
const POLLFD = 8;
const TIMESPEC = 16;
const ITIMERSPEC = 32;

export const events = [
  home(7, 'poll', inout.arg(1, POLLFD), int, int).blocks('block').timeout('ms', 2),
  // The time that is left is written back, also when a signal ends the call (select(2), "the Linux kernel").
  home(23, 'select', int, inout.fdset(0), inout.fdset(0), inout.fdset(0), inout.fixed(TIMESPEC))
    .blocks('nohand')
    .timeout('timeval_inout', 4)
    .outOnError(),
  home(213, 'epoll_create', value).returnsFd(),
  // EINTR even without a handler, for any stop: the call has no effect and may be issued again.
  home(232, 'epoll_wait', fd, out.ret(2, EPOLL_EVENT), int, int).blocks('eintr').timeout('ms', 3),
  // EPOLL_CTL_DEL does not look at the event, whose pointer may then be anything.
  home(233, 'epoll_ctl', fd, value, fd, into.fixed(EPOLL_EVENT)),
  home(253, 'inotify_init').returnsFd(),
  home(254, 'inotify_add_watch', fd, string, value),
  home(255, 'inotify_rm_watch', fd, value),
  special(270, 'pselect6', 'pselect6', int, inout.fdset(0), inout.fdset(0), inout.fdset(0), inout.fixed(TIMESPEC), sigsetPair)
    .blocks('nohand')
    .timeout('timespec_inout', 4)
    .outOnError()
    .sigmask()
    .asks(),
  home(271, 'ppoll', inout.arg(1, POLLFD), value, inout.fixed(TIMESPEC), sigset, value)
    .blocks('nohand')
    .timeout('timespec_inout', 2)
    .outOnError()
    .sigmask(),
  home(281, 'epoll_pwait', fd, out.ret(2, EPOLL_EVENT), int, int, sigset, value).blocks('eintr').timeout('ms', 3).sigmask(),
  // A descriptor of -1 asks for a new one.
  home(282, 'signalfd', fd, into.arg(2), value).returnsFd(),
  home(283, 'timerfd_create', value, value).returnsFd(),
  home(284, 'eventfd', value).returnsFd(),
  home(286, 'timerfd_settime', fd, value, into.fixed(ITIMERSPEC), out.fixed(ITIMERSPEC)),
  home(287, 'timerfd_gettime', fd, out.fixed(ITIMERSPEC)),
  home(289, 'signalfd4', fd, into.arg(2), value, value).returnsFd(),
  home(290, 'eventfd2', value, value).returnsFd(),
  home(291, 'epoll_create1', value).returnsFd(),
  home(294, 'inotify_init1', value).returnsFd(),
  home(300, 'fanotify_init', value, value).returnsFd(),
  home(301, 'fanotify_mark', fd, value, value, dirfd, string),
  home(441, 'epoll_pwait2', fd, out.ret(2, EPOLL_EVENT), int, into.fixed(TIMESPEC), sigset, value)
    .blocks('eintr')
    .timeout('timespec', 3)
    .sigmask(),
];
