/**
 * What a process can own, apart from its system calls, and what becomes of it away from home: data for docs/transparency.md.
 * `by` names behaviours of the laboratory (area/name), or other tests as `file: words of their names`.
 */

/** `exact`: as at home, away. `home`: it brings the process home, and is exact there. `stays`: a move is refused with the reason. `differs`: not as at home. */
export type Place = 'exact' | 'home' | 'stays' | 'differs';

export interface Feature {
  what: string;
  place: Place;
  note?: string;
  by: string[];
}

export const interfaces: Record<string, Feature[]> = {
  Memory: [
    {
      what: 'private anonymous memory, heap, break',
      place: 'exact',
      by: ['memory/allocation-patterns', 'memory/brk-up-and-down', 'memory/sparse-memory'],
    },
    {
      what: 'stacks that grow, and their limit',
      place: 'exact',
      by: ['memory/stack-grows', 'memory/stack-overflow', 'memory/mapping-grows-down', 'threads/stacks-and-guards'],
    },
    {
      what: 'private mappings of files',
      place: 'exact',
      note: 'fetched from home as they are touched; pages of system files that another program of the user has fetched already are not, and show what they were when root changes such a file in place meanwhile',
      by: [
        'memory/private-file-written',
        'memory/beyond-the-end-of-a-file',
        'memory/library-loaded-and-closed',
        'memory/file-read-in-order-and-replaced',
        'threads/file-replaced-by-another-thread',
        'system/kept-files: the second python3, what a program has written',
      ],
    },
    {
      what: 'a file of 10 GB, sparse, mapped',
      place: 'exact',
      note: 'what is touched travels',
      by: ['memory/large-sparse-file'],
    },
    {
      what: 'very many mappings',
      place: 'exact',
      note: 'shown of 20,000; more than 65,400, or 8,226 of files, stay home',
      by: ['memory/many-mappings', 'memory/too-many-of-files'],
    },
    {
      what: 'code written and run, memory that is executed',
      place: 'exact',
      by: ['memory/written-code-runs', 'memory/executable-stack'],
    },
    {
      what: 'a memfd mapped several times, its descriptor closed',
      place: 'exact',
      by: ['memory/memfd-twice', 'memory/memfd-mapped-twice'],
    },
    { what: 'a memfd whose descriptor is open', place: 'stays', by: ['memory/memfd-open'] },
    {
      what: 'shared anonymous memory whose other users have ended',
      place: 'exact',
      by: ['memory/shared-after-child', 'memory/shared-replaced', 'memory/shared-anonymous-alone'],
    },
    {
      what: 'shared anonymous memory of living relatives, System V and POSIX shared memory',
      place: 'stays',
      note: 'what makes it so brings the process home',
      by: ['memory/shared-with-child', 'memory/sysv-shared-memory', 'memory/shm-open-between-processes'],
    },
    {
      what: 'shared mappings of a file that somebody has open for writing',
      place: 'stays',
      by: ['memory/shared-file-seen-after-write', 'memory/shared-file-seen-by-others'],
    },
    {
      what: 'a shared mapping that is read, of a file that somebody opens for writing, or truncates, later',
      place: 'home',
      note: 'before whoever opens it has it open; but for files that root alone may write, and that it writes in place; a vfork brings such a process home too',
      by: [
        'memory/shared-file-written-later',
        'memory/shared-file-written-by-a-relative',
        'system/shared-files: its own, mapped while it is away',
      ],
    },
    {
      what: 'advice on contents: DONTNEED, FREE, REMOVE',
      place: 'exact',
      by: ['memory/madvise-forgets', 'memory/shared-advice', 'memory/advice-on-files'],
    },
    {
      what: 'advice on forks and cores, memory that grows downwards: DONTFORK, WIPEONFORK, DONTDUMP, MAP_GROWSDOWN',
      place: 'exact',
      by: ['memory/madvise-dont-fork', 'memory/madvise-wipe-on-fork', 'memory/advice-kept', 'memory/mapping-grows-down'],
    },
    {
      what: 'advice on speed: HUGEPAGE, MERGEABLE, RANDOM, SEQUENTIAL and their like',
      place: 'exact',
      note: 'changes no result; each node goes by what it was told there',
      by: ['memory/advice-that-changes-nothing'],
    },
    {
      what: 'pages of a file that the program has not touched yet, given to calls that the hosting node carries out',
      place: 'exact',
      by: ['memory/untouched-pages-are-the-kernels', 'memory/populated-by-advice'],
    },
    {
      what: 'guards (MADV_GUARD_INSTALL)',
      place: 'exact',
      note: 'a hosting node whose kernel does not know them (before Linux 6.13) refuses such a process',
      by: ['memory/guards'],
    },
    {
      what: 'a private mapping of a file that is written to afterwards',
      place: 'differs',
      note: 'pages that have come, some of them before they were touched, do not change any more; mmap(2) leaves open whether they do',
      by: [],
    },
    {
      what: 'mincore of a file’s mapping, PROT_EXEC of one on a noexec file system, mremap over memory that came with it and what was mapped beside it since',
      place: 'differs',
      note: 'it tells which pages have come; is granted; is EFAULT, for these are two mappings',
      by: [],
    },
    {
      what: 'locked memory',
      place: 'exact',
      note: 'pages are brought; that they stay is the hosting node’s business, and RLIMIT_MEMLOCK is not held there. munlock brings a process home that had memory locked there',
      by: ['memory/mlock-brings-pages', 'memory/mlock-errors'],
    },
    {
      what: 'limits on address space and data',
      place: 'exact',
      by: ['memory/limit-of-address-space', 'memory/limit-of-data', 'memory/limit-below-use'],
    },
    {
      what: 'protection keys, sealed mappings, userfaultfd',
      place: 'home',
      note: 'and then it stays',
      by: ['memory/protection-keys', 'memory/sealed-mapping', 'memory/userfault-is-handled'],
    },
  ],
  Descriptors: [
    {
      what: 'files, directories, locks, leases, notices',
      place: 'exact',
      by: ['files/position-shared', 'files/record-lock-waits', 'files/leases', 'files/inotify-events', 'files/directory-entries'],
    },
    {
      what: 'files that are read ahead of the program',
      place: 'exact',
      by: [
        'files/ahead-in-order',
        'files/ahead-written',
        'files/ahead-shared',
        'files/ahead-by-threads',
        'files/looked-at',
        'files/beginnings',
        'files/beginnings-by-threads',
        'files/names-looked-at',
        'system/reading-ahead: what is written at home, a disk that cannot be read',
      ],
    },
    {
      what: 'opening one of these, or one that is mapped shared, for writing, by another program',
      place: 'differs',
      note: 'EWOULDBLOCK with O_NONBLOCK; else it waits until the guest has dropped what it has, or is at home, for up to 45 s where that is stopped or cannot be reached; notices of reads come when home reads, and the position in /proc/PID/fdinfo is one of before',
      by: [],
    },
    {
      what: 'writes to files that the program does not wait for',
      place: 'exact',
      by: [
        'files/behind-in-order',
        'files/behind-by-threads',
        'files/behind-limits',
        'files/behind-at-exit',
        'system/writing-behind: another program at home finds what it is told of',
      ],
    },
    {
      what: 'a disk that others fill meanwhile, by a GiB within a few writes; times of change',
      place: 'differs',
      note: 'the next write, fsync or close of the descriptor tells it, as on NFS; and the time of change is that at home, some ms after the write returned. --no-write-behind: the write itself tells, and the time is before it returns',
      by: ['system/writing-behind: one that fails is told of by the next, or by fsync or close'],
    },
    {
      what: 'pipes and FIFOs',
      place: 'exact',
      by: [
        'descriptors/full-pipe',
        'descriptors/atomic-pipe-writes',
        'descriptors/packets-in-a-pipe',
        'descriptors/fifo-open-waits',
      ],
    },
    {
      what: 'sockets of all families, descriptors and credentials sent over them',
      place: 'exact',
      by: ['sockets/tcp-conversation', 'sockets/descriptors-sent', 'sockets/credentials-sent', 'sockets/netlink-interfaces'],
    },
    {
      what: 'epoll, poll, select, eventfd, signalfd, timerfd, inotify, fanotify',
      place: 'exact',
      by: [
        'descriptors/epoll-level-and-edge',
        'descriptors/poll-of-ten-thousand',
        'descriptors/eventfd-counts',
        'descriptors/signalfd-reads',
        'descriptors/timerfd-expires',
      ],
    },
    {
      what: 'terminals and job control',
      place: 'exact',
      by: [
        'terminals/background-read',
        'terminals/stopped-while-writing',
        'terminals/password',
        'system/behaviour: a terminal: ^Z stops',
      ],
    },
    { what: 'pidfds', place: 'exact', by: ['processes/pidfd', 'processes/pidfd-wait-moves'] },
    {
      what: 'a thousand of them, limits lowered, all closed at once',
      place: 'exact',
      by: ['descriptors/a-thousand-descriptors', 'descriptors/everything-closed', 'credentials/limit-no-descriptors'],
    },
    { what: 'asynchronous I/O and io_uring', place: 'home', by: ['ipc/aio-works', 'ipc/io-uring-works'] },
    {
      what: 'a write of much to a pipe, socket or terminal, and a receive that waits for all, moved in its middle',
      place: 'exact',
      note: 'the rest is transferred where it goes on, and the sum is told',
      by: [
        'descriptors/transfers-are-whole',
        'terminals/writes-are-whole',
        'files/endless-devices',
        'signals/interrupts-write-pipe',
      ],
    },
    {
      what: 'a read with a low-water mark above one (SO_RCVLOWAT, VMIN), moved in its middle',
      place: 'exact',
      note: 'the rest asks for what is missing to the mark',
      by: ['sockets/low-water-mark-in-parts', 'terminals/vmin-in-parts'],
    },
  ],
  Processes: [
    {
      what: 'fork, vfork, clone, clone3, spawn, and the ends of children',
      place: 'exact',
      by: [
        'processes/fork-wait',
        'processes/vfork-failing-exec',
        'processes/clone-vfork-stack',
        'processes/vfork-child-stays',
        'processes/random-tree',
        'processes/clone-bad-flags',
        'processes/spawn-actions',
        'processes/waitid-stopped-continued',
      ],
    },
    {
      what: 'programs executed, and what they keep',
      place: 'exact',
      note: 'exec is done at home',
      by: ['processes/exec-keeps', 'processes/exec-forgets', 'processes/exec-from-thread'],
    },
    {
      what: 'groups, sessions, orphans, subreapers, death signals',
      place: 'exact',
      by: ['processes/groups-and-sessions', 'processes/orphans-reaper', 'processes/parent-death-signal'],
    },
    {
      what: 'the limit of processes: fork bombs, threads, what begins again when some have ended',
      place: 'exact',
      note: 'refused by home, whose limit it is; what the hosting node has no room for is made at home',
      by: [
        'processes/process-limit',
        'processes/fork-bomb',
        'processes/threads-limit',
        'system/births: threads',
        'system/births: forks',
      ],
    },
    {
      what: 'pipelines whose members are on different nodes',
      place: 'exact',
      by: ['processes/pipeline', 'system/storms: storm of moves'],
    },
    {
      what: 'a first thread that has ended',
      place: 'exact',
      by: ['processes/first-thread-exits', 'system/behaviour: a first thread that ends'],
    },
    {
      what: 'threads: mutexes (robust ones too), conditions, futexes, local storage, cancelling',
      place: 'exact',
      by: [
        'threads/mutex-kinds',
        'threads/robust-mutexes',
        'processes/robust-mutex-shared',
        'threads/futex-operations',
        'threads/conditions',
        'threads/cancel-asynchronous',
        'threads/two-hundred',
      ],
    },
    {
      what: 'a debugger (ptrace) that attaches',
      place: 'home',
      by: ['system/behaviour: a debugger on a process', 'credentials/ptrace-child'],
    },
    {
      what: 'select and pselect6 of more than 1,024 descriptors, of a process that is at home again',
      place: 'differs',
      note: 'its table of descriptors is longer since it was away, and so is what the kernel looks at: what lies behind the sets must be zeros, and be there',
      by: [],
    },
    {
      what: 'memory of an away child read or written by process_vm_readv',
      place: 'differs',
      note: 'so does /proc/PID/mem: home has only its skeleton, which reads as zeros or as its files were. Without access it would fail instead, but /proc/PID/mem passes over protections, and its files must stay readable to be fetched',
      by: [],
    },
  ],
  'Signals and time': [
    {
      what: 'queues, order, masks, handlers, alternate stacks, contexts',
      place: 'exact',
      by: [
        'signals/order-of-stream',
        'signals/caught-before-change',
        'signals/mask-in-handler',
        'signals/mask-while-waiting',
        'signals/altstack-use',
        'signals/context-changed',
      ],
    },
    {
      what: 'stops and continuations, and the parent’s word of them',
      place: 'exact',
      by: ['processes/stops-are-told', 'processes/waitid-stopped-continued', 'signals/stop-signals-cancel'],
    },
    {
      what: 'which calls a signal ends, and which go on',
      place: 'exact',
      by: [
        'signals/interrupts-read',
        'signals/interrupts-epoll',
        'signals/interrupts-locks',
        'signals/files-are-not-interrupted',
      ],
    },
    {
      what: 'faults and their reasons, deaths with a core',
      place: 'exact',
      by: ['signals/fault-segv', 'signals/fault-bus', 'signals/fault-arithmetic', 'system/behaviour: cores'],
    },
    {
      what: 'the last real-time signal, 64, which is mosrun’s own while away',
      place: 'exact',
      note: 'it comes home for one that is blocked, and stays while one is pending or a signalfd reads it',
      by: ['signals/last-signal'],
    },
    {
      what: 'clocks, sleeps, time-outs, timers of elapsed time',
      place: 'exact',
      by: [
        'clocks/never-back',
        'clocks/nanosleep-whole',
        'clocks/timeouts-of-polls',
        'clocks/timeouts-through-many-moves',
        'clocks/rests-told',
        'clocks/timer-kinds',
        'clocks/interval-timer',
        'system/waits: moved out',
        'system/waits: moved out after a move that failed',
        'system/waits: moved out, home and out again',
      ],
    },
    {
      what: 'a wake-up (FUTEX_WAKE) of a word that stays as it was, by a thread that runs again after a move before its waiter does',
      place: 'differs',
      note: 'wakes nobody, as after a handler or SIGSTOP and SIGCONT; whoever changes the word first, as all libraries do, needs none',
      by: [],
    },
    {
      what: 'a receive or send with a time-out (SO_RCVTIMEO, SO_SNDTIMEO) that goes on at home after many moves that failed one upon another, on a machine with many times more to run than it has processors',
      place: 'differs',
      note: 'may begin anew: that it is the same wait is known by how often its thread has slept. Seen once, of many thousands',
      by: ['system/waits: moved out after many that failed, one upon another'],
    },
    {
      what: 'a sleep, poll or futex wait that was stopped and continued (SIGSTOP, a debugger) before it is moved',
      place: 'stays',
      note: 'until it is over, unless the sleep was given a place for its rest: the kernel tells nobody what is left of it',
      by: ['system/waits: one that was stopped'],
    },
    {
      what: 'a wait that is brought home in its middle, and stays there',
      place: 'exact',
      note: 'of some the stub does the rest, and leaves the process when that is over',
      by: ['system/behaviour: waits that are brought out and home in their middle'],
    },
    {
      what: 'CPU time while away',
      place: 'exact',
      by: ['clocks/cpu-clocks-grow', 'clocks/cpu-clocks-agree', 'threads/cpu-of-each'],
    },
    {
      what: 'CPU time of a process that is at home again',
      place: 'differs',
      note: 'tells of home’s part alone: the kernel counts what it runs; mosps and mostimeof tell the sum',
      by: ['system/tools: mostimeof'],
    },
    {
      what: 'CPU time, memory and faults of children that were away, as wait4, RUSAGE_CHILDREN and times tell them',
      place: 'differs',
      note: 'home’s part alone; of the process itself, RUSAGE_SELF has all of its time, and the memory and faults of its present stay. mosps and mostimeof tell the sum',
      by: ['system/tools: mostimeof'],
    },
    {
      what: 'CLOCK_MONOTONIC_RAW over a move between machines',
      place: 'differs',
      note: 'the hosting node’s, from where CLOCK_MONOTONIC is home’s: it may step by what either machine’s clock has been slewed',
      by: [],
    },
    {
      what: 'the processor that a thread is told to be on (sched_getcpu, rseq)',
      place: 'differs',
      note: 'the hosting node’s, which may have more of them; affinity is kept as home has it, and is not held there',
      by: [],
    },
    {
      what: 'restartable sequences (rseq(2)) of a program that is not position-independent',
      place: 'differs',
      note: 'where one is interrupted whose description, or abort handler, lies in a page that the program has never touched there, the kernel ends the program',
      by: [],
    },
    {
      what: 'timers and limits of CPU time (ITIMER_PROF, ITIMER_VIRTUAL, timer_create, RLIMIT_CPU)',
      place: 'home',
      note: 'and then it stays; a limit set by another process while it is away counts what is used at home',
      by: ['clocks/timers-of-cpu-time', 'clocks/limit-of-cpu-time'],
    },
  ],
  'Rights and state': [
    {
      what: 'users, groups, capabilities, keys',
      place: 'exact',
      by: ['credentials/set-uid-and-back', 'credentials/capabilities', 'credentials/files-after-dropping', 'credentials/keyring'],
    },
    { what: 'set-uid programs', place: 'exact', by: ['credentials/set-uid-program'] },
    {
      what: 'resource limits',
      place: 'exact',
      note: 'but those of CPU time and locked memory',
      by: ['credentials/limit-file-size', 'credentials/limit-descriptors', 'credentials/limit-of-a-child'],
    },
    {
      what: 'scheduling, priorities, affinity as told',
      place: 'exact',
      note: 'kept at home; the hosting node runs its guests as it will',
      by: ['credentials/scheduling', 'credentials/affinity', 'credentials/nice'],
    },
    { what: 'prctl states, personality', place: 'exact', by: ['credentials/prctl-states', 'credentials/personality'] },
    {
      what: 'namespaces of its own, another root',
      place: 'exact',
      note: 'children in a pid namespace of their own keep their parent at home',
      by: ['credentials/unshare-user', 'credentials/unshare-mounts', 'credentials/unshare-pids', 'credentials/chroot'],
    },
    {
      what: 'a system-call filter of its own (seccomp)',
      place: 'stays',
      by: ['credentials/seccomp-filter', 'credentials/seccomp-strict'],
    },
    { what: 'vsyscall', place: 'exact', by: ['credentials/vsyscall'] },
  ],
  'Views of itself in /proc': [
    {
      what: 'maps, stat, statm, status',
      place: 'exact',
      note: 'written when it is opened, and when it is read from its beginning again; a child that has got such a descriptor sees what its parent last did',
      by: [
        'self/maps-are-its-own',
        'self/maps-show-nothing-else',
        'self/status-fields',
        'self/numbers-of-memory',
        'self/numbers-read-again',
        'self/numbers-passed-on',
        'self/numbers-by-threads',
        'self/numbers-opened-at-once',
        'self/view-held-open',
      ],
    },
    {
      what: 'exe, cwd, root, links of descriptors, limits, mounts, auxv',
      place: 'exact',
      by: ['self/links', 'self/descriptor-links', 'self/limits-and-files', 'self/auxiliary-values'],
    },
    {
      what: 'smaps, mem, pagemap, cmdline, environ, fd, fdinfo, those of a thread, and their like',
      place: 'home',
      note: 'while one is open the process stays',
      by: ['self/mem-file', 'self/page-map', 'self/words-and-environment', 'self/soft-dirty-and-advice'],
    },
    {
      what: 'how others see it (ps, top)',
      place: 'differs',
      note: 'the deputy at home: its memory and CPU time; mosps tells',
      by: [],
    },
  ],
};
