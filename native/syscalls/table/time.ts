// Clocks, sleeps and timers. Sleeps run in the guest with an absolute deadline; timers stay at home with the signals.
import { bits, home, inout, into, is, out, set, special, stub, value } from '../model.js';

const TIMESPEC = 16;
const ITIMERVAL = 32;
const ITIMERSPEC = 32;
const TIMEX = 208;
const SIGEVENT = 64;

const CLOCK = { MONOTONIC: 1, PROCESS_CPUTIME: 2, THREAD_CPUTIME: 3, MONOTONIC_RAW: 4, MONOTONIC_COARSE: 6, BOOTTIME: 7 };
const ITIMER = { VIRTUAL: 1, PROF: 2 };
const STANDS_STILL = 'counts processor time, of which the deputy uses none';
/** A negative clock id names a process or thread, the low three bits say what: 0 to 2 processor time, 3 a device. */
const dynamicCpuClock = (kind: number) => bits(0, 0x80000007, (0x80000000 | kind) >>> 0);

export const time = [
  stub(35, 'nanosleep', 'nanosleep', 2).blocks('block'),
  home(36, 'getitimer', value, out.fixed(ITIMERVAL))
    .because(STANDS_STILL)
    .comehomeIf(is(0, ITIMER.VIRTUAL))
    .comehomeIf(is(0, ITIMER.PROF)),
  home(37, 'alarm', value),
  home(38, 'setitimer', value, into.fixed(ITIMERVAL), out.fixed(ITIMERVAL))
    .because(STANDS_STILL)
    .comehomeIf(is(0, ITIMER.VIRTUAL))
    .comehomeIf(is(0, ITIMER.PROF)),
  stub(96, 'gettimeofday', 'gettimeofday', 2),
  home(159, 'adjtimex', inout.fixed(TIMEX)),
  home(164, 'settimeofday', into.fixed(TIMESPEC), into.fixed(8)),
  stub(201, 'time', 'time', 1),
  // The id is read as well as written under PR_TIMER_CREATE_RESTORE_IDS (Linux 6.15).
  home(222, 'timer_create', value, into.fixed(SIGEVENT), inout.fixed(4))
    .because(STANDS_STILL)
    .comehomeIf(is(0, CLOCK.PROCESS_CPUTIME))
    .comehomeIf(is(0, CLOCK.THREAD_CPUTIME))
    .comehomeIf(dynamicCpuClock(0))
    .comehomeIf(dynamicCpuClock(1))
    .comehomeIf(dynamicCpuClock(2))
    .comehomeIf(dynamicCpuClock(4))
    .comehomeIf(dynamicCpuClock(5))
    .comehomeIf(dynamicCpuClock(6)),
  home(223, 'timer_settime', value, value, into.fixed(ITIMERSPEC), out.fixed(ITIMERSPEC)),
  home(224, 'timer_gettime', value, out.fixed(ITIMERSPEC)),
  home(225, 'timer_getoverrun', value),
  home(226, 'timer_delete', value),
  home(227, 'clock_settime', value, into.fixed(TIMESPEC)),
  // The guest's time namespace has home's monotonic and boot-time clocks. CLOCK_REALTIME needs the measured offset, the
  // processor-time clocks the sum of both nodes, the rest is home's.
  special(228, 'clock_gettime', 'clock_gettime', value, out.fixed(TIMESPEC))
    .asks(),
  home(229, 'clock_getres', value, out.fixed(TIMESPEC)),
  stub(230, 'clock_nanosleep', 'clock_nanosleep', 4)
    .blocks('block')
    .because(STANDS_STILL)
    .comehomeIf(is(0, CLOCK.PROCESS_CPUTIME))
    .comehomeIf(set(0, 0x80000000)),
  home(305, 'clock_adjtime', value, inout.fixed(TIMEX)),
];
