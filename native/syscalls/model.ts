// How a row of the system-call table is written.
//
//   home(0, "read", fd, out.ret(2), value).blocks("sys").bulk(),
//     │  │     │     │   │                 │             └ may carry much data
//     │  │     │     │   │                 └ may sleep for ever; restart class when a signal comes
//     │  │     │     │   └ args[1] is filled by the call: args[2] bytes of room, as many come back as it returned
//     │  │     │     └ args[0] is a descriptor of the home-node
//     │  │     └ the kernel's own name
//     │  └ the x86_64 number
//     └ place: who carries it out
//
// A buffer the kernel always fills when it succeeds is `out`. One it may leave untouched, in part or whole, is
// `inout`, so that the program's own bytes are what comes back (wait4's status with WNOHANG, waitid's siginfo).
// The same trick makes outputs of failing calls exact: they come back only where the row says `outOnError`.
// A null pointer is handed on as null, whatever the descriptor says.

export const places = ['native', 'stub', 'home', 'special', 'comehome', 'absent'] as const;
export type Place = (typeof places)[number];

export const dirs = [
  'value',
  'fd',
  'dirfd',
  'string',
  'in',
  'out',
  'inout',
  'iovec_in',
  'iovec_out',
  'msg_in',
  'msg_out',
  'mmsg_in',
  'mmsg_out',
  'sigset_in',
  'ifconf',
  'command',
] as const;
export type Dir = (typeof dirs)[number];

export const lens = ['none', 'fixed', 'arg', 'ret', 'pointer', 'fdset', 'first'] as const;
export type Len = (typeof lens)[number];

/** What an interrupted call does; the names of the kernel's ERESTART codes (signal(7), include/linux/errno.h). */
export const restarts = ['none', 'sys', 'nohand', 'block', 'eintr'] as const;
export type Restart = (typeof restarts)[number];

export const timeouts = ['none', 'ms', 'timespec', 'timespec_inout', 'timeval_inout', 'absolute'] as const;
export type Timeout = (typeof timeouts)[number];

export const lists = [
  'none',
  'ioctl',
  'fcntl',
  'prctl',
  'arch_prctl',
  'semctl',
  'msgctl',
  'shmctl',
  'keyctl',
  'fsconfig',
  'landlock_rule',
] as const;
export type List = (typeof lists)[number];

export const flagBits = {
  BLOCKS: 1,
  OUT_ON_ERROR: 2,
  RETURNS_FD: 4,
  CHANGES_CREDS: 8,
  LARGE_OK: 16,
  SIGMASK: 32,
} as const;
export type Flag = keyof typeof flagBits;

export interface Arg {
  readonly dir: Dir;
  readonly len: Len;
  /** Index of the argument the length rule looks at. */
  readonly a: number;
  /** Bytes in front of what the rule counts (msgrcv's mtype); for `command` the list to look in. */
  readonly plus: number;
  /** Bytes of the structure, or of one element. */
  readonly size: number;
  /** An int: the upper half of the register is undefined by the calling convention, and the kernel does not look at it. */
  readonly int?: boolean;
}

/** "(word & mask) == value", where word is a 32-bit half of an argument: all that seccomp's BPF can ask. */
export interface Condition {
  readonly arg: number;
  readonly high: boolean;
  readonly mask: number;
  readonly value: number;
}

/** All conditions of one rule hold together; several rules of a call are alternatives. */
export interface Rule {
  readonly place: Place;
  readonly conditions: readonly Condition[];
}

const plain = (dir: Dir): Arg => ({ dir, len: 'none', a: 0, plus: 0, size: 0 });
const buffer = (dir: Dir) => ({
  /** Exactly this many bytes. */
  fixed: (size: number): Arg => ({ dir, len: 'fixed', a: 0, plus: 0, size }),
  /** args[a] elements of `size` bytes, after `plus` bytes. */
  arg: (a: number, size = 1, plus = 0): Arg => ({ dir, len: 'arg', a, plus, size }),
  /** Room for args[a] elements; as many as the call returned come back, never more than there is room for. */
  ret: (a: number, size = 1, plus = 0): Arg => ({ dir, len: 'ret', a, plus, size }),
  /** The u32 that args[a] points to: room before, true length after; the lesser of the two comes back. */
  pointer: (a: number): Arg => ({ dir, len: 'pointer', a, plus: 0, size: 1 }),
  /** A bit for each of args[a] descriptors, in whole 64-bit words. */
  fdset: (a: number): Arg => ({ dir, len: 'fdset', a, plus: 0, size: 8 }),
  /** The structure begins with its length as u32 (0 means `size`), and `plus` bytes are not counted in it. */
  first: (size: number, plus = 0): Arg => ({ dir, len: 'first', a: 0, plus, size }),
});

export const value = plain('value');
/** A number the guest itself must understand, a length or a command, of 32 bits. */
export const int: Arg = { ...plain('value'), int: true };
export const fd: Arg = { ...plain('fd'), int: true };
export const dirfd: Arg = { ...plain('dirfd'), int: true };
export const string = plain('string');
export const out = buffer('out');
export const inout = buffer('inout');
/** `in` is a keyword of the language. */
export const into = buffer('in');
/** args[a] iovecs that the call reads from (writev), or fills (readv). */
export const iovecIn = (a: number): Arg => ({ dir: 'iovec_in', len: 'arg', a, plus: 0, size: 16 });
export const iovecOut = (a: number): Arg => ({ dir: 'iovec_out', len: 'arg', a, plus: 0, size: 16 });
export const msgIn: Arg = { dir: 'msg_in', len: 'fixed', a: 0, plus: 0, size: 56 };
export const msgOut: Arg = { dir: 'msg_out', len: 'fixed', a: 0, plus: 0, size: 56 };
export const mmsgIn = (a: number): Arg => ({ dir: 'mmsg_in', len: 'arg', a, plus: 0, size: 64 });
export const mmsgOut = (a: number): Arg => ({ dir: 'mmsg_out', len: 'arg', a, plus: 0, size: 64 });
/** A mask in force during the call only. The kernel's sigset_t has 8 bytes, the C library's 128. */
export const sigset: Arg = { dir: 'sigset_in', len: 'fixed', a: 0, plus: 0, size: 8 };
/** pselect6(2): a structure { const sigset_t *, size_t } in place of the mask. */
export const sigsetPair: Arg = { dir: 'sigset_in', len: 'fixed', a: 0, plus: 0, size: 16 };
/** What this argument is depends on the number in args[a]; `list` says how. */
export const command = (list: List, a: number): Arg => ({ dir: 'command', len: 'none', a, plus: lists.indexOf(list), size: 0 });

export const bits = (arg: number, mask: number, value: number): Condition[] => [{ arg, high: false, mask, value }];
export const is = (arg: number, value: number): Condition[] => bits(arg, 0xffffffff, value);
export const set = (arg: number, bit: number): Condition[] => bits(arg, bit, bit);
/** All 64 bits are zero. */
export const zero = (arg: number): Condition[] => [
  { arg, high: false, mask: 0xffffffff, value: 0 },
  { arg, high: true, mask: 0xffffffff, value: 0 },
];

export class Row {
  restart: Restart = 'none';
  timeoutKind: Timeout = 'none';
  timeoutArg = 0;
  readonly flags = new Set<Flag>();
  readonly rules: Rule[] = [];
  /** Why it comes home or is refused, for readers of the documentation and for `explain`. */
  reason = '';
  /** Special calls only: the deputy carries it out when asked, by this number. */
  asked = false;

  constructor(
    readonly number: number,
    readonly name: string,
    readonly place: Place,
    public args: readonly Arg[],
    readonly handler: string = 'none',
  ) {}

  private flag(flag: Flag): this {
    this.flags.add(flag);
    return this;
  }

  /** May sleep without limit, and must then be interruptible by the program's signals. */
  blocks(restart: Restart): this {
    this.restart = restart;
    return this.flag('BLOCKS');
  }
  timeout(kind: Timeout, arg: number): this {
    this.timeoutKind = kind;
    this.timeoutArg = arg;
    return this;
  }
  returnsFd(): this {
    return this.flag('RETURNS_FD');
  }
  changesCreds(): this {
    return this.flag('CHANGES_CREDS');
  }
  bulk(): this {
    return this.flag('LARGE_OK');
  }
  outOnError(): this {
    return this.flag('OUT_ON_ERROR');
  }
  sigmask(): this {
    return this.flag('SIGMASK');
  }
  asks(): this {
    this.asked = true;
    return this;
  }
  /** Descriptors for a call that is carried out by the deputy in some cases only. */
  takes(...args: Arg[]): this {
    this.args = args;
    return this;
  }
  because(reason: string): this {
    this.reason = reason;
    return this;
  }
  /** The filter lets the call through when all of these hold. */
  nativeIf(...conditions: Condition[][]): this {
    return this.elsewhere('native', ...conditions);
  }
  comehomeIf(...conditions: Condition[][]): this {
    return this.elsewhere('comehome', ...conditions);
  }
  homeIf(...conditions: Condition[][]): this {
    return this.elsewhere('home', ...conditions);
  }
  private elsewhere(place: Place, ...conditions: Condition[][]): this {
    this.rules.push({ place, conditions: conditions.flat() });
    return this;
  }
}

const values = (count: number): Arg[] => Array<Arg>(count).fill(value);

/** Touches the process's own memory or its node's clock only: the guest's kernel runs it, unfiltered. */
export const native = (number: number, name: string, count: number): Row => new Row(number, name, 'native', values(count));
/** Answered in the guest, by the stub, without a word to the deputy. */
export const stub = (number: number, name: string, handler: string, count: number): Row =>
  new Row(number, name, 'stub', values(count), handler);
/** Carried out by the deputy; the descriptors say all there is to know. */
export const home = (number: number, name: string, ...args: Arg[]): Row => new Row(number, name, 'home', args);
/** Code of its own in the stub, which talks to the deputy. */
export const special = (number: number, name: string, handler: string, ...args: Arg[]): Row =>
  new Row(number, name, 'special', args, handler);
/** Cannot be served away: the process comes home and the call runs there. */
export const comehome = (number: number, name: string, count: number, reason: string): Row =>
  new Row(number, name, 'comehome', values(count)).because(reason);
/** No kernel has it for x86_64 (any more): -ENOSYS, without asking. */
export const absent = (number: number, name: string): Row => new Row(number, name, 'absent', []);
