/** What /proc says of a process; proc(5). Everything is read when asked for, nothing is polled. */
import { readFileSync, readlinkSync } from 'node:fs';
import { namesIn, readIfThere } from '../shared/files.js';

export interface ProcessFacts {
  pid: number;
  parentPid: number;
  /** The letter of state: R, S, D, T, t, Z, ... */
  state: string;
  name: string;
  threads: number;
  cpuSeconds: number;
  /** The part of it that it was not in the kernel. */
  userSeconds: number;
  memoryBytes: number;
  /** Field 22, in ticks since boot: with the pid it names one process for all time until the next boot. */
  startTime: string;
}

export interface ProcessUids {
  real: number;
  effective: number;
  saved: number;
}

// USER_HZ and the page size are these on every x86_64 kernel.
export const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

let bootIdentity: string | null = null;
export function bootId(): string {
  bootIdentity ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootIdentity;
}

/**
 * A first thread that has ended while others live is a zombie, and its memory is gone: a file that tells of memory does not hold the text
 * then. Another thread's does.
 */
function readOfMemory(pid: number, name: string, holds: (text: string) => boolean): string {
  const text = readIfThere(`/proc/${pid}/${name}`) ?? '';
  if (holds(text)) return text;
  for (const thread of namesIn(`/proc/${pid}/task`)) {
    const other = thread === `${pid}` ? '' : (readIfThere(`/proc/${pid}/task/${thread}/${name}`) ?? '');
    if (holds(other)) return other;
  }
  return text;
}

export function readFacts(pid: number): ProcessFacts | null {
  const text = readIfThere(`/proc/${pid}/stat`);
  const facts = text === null ? null : factsOf(pid, text);
  if (facts?.state !== 'Z' || facts.threads <= 1) return facts;
  const { state, memoryBytes } = factsOf(
    pid,
    readOfMemory(pid, 'stat', (other) => other !== '' && factsOf(pid, other).memoryBytes > 0),
  );
  return { ...facts, state, memoryBytes };
}

function factsOf(pid: number, text: string): ProcessFacts {
  // The name may hold spaces and parentheses: it ends at the last one.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3] ?? 0);
  return {
    pid,
    name: text.slice(open + 1, close),
    state: fields[0] ?? '?',
    parentPid: number(4),
    cpuSeconds: (number(14) + number(15)) / TICKS_PER_SECOND,
    userSeconds: number(14) / TICKS_PER_SECOND,
    threads: number(20),
    startTime: fields[22 - 3] ?? '0',
    memoryBytes: number(24) * PAGE_BYTES,
  };
}

/** A first thread that has ended while others live is a zombie too; the process is not. */
export function hasEnded(facts: ProcessFacts): boolean {
  return (facts.state === 'Z' && facts.threads <= 1) || facts.state === 'X';
}

export function readUids(pid: number): ProcessUids | null {
  const match = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/status`) ?? '');
  return match ? { real: Number(match[1]), effective: Number(match[2]), saved: Number(match[3]) } : null;
}

/** The process that traces it by ptrace(2); null if there is none, or none that this daemon can see. */
export function readTracer(pid: number): number | null {
  const text = readOfMemory(pid, 'status', (status) => status.includes('RssAnon:'));
  return Number(/^TracerPid:\s+(\d+)/m.exec(text)?.[1] ?? 0) || null;
}

/** The memory a move has to carry: what is anonymous, in memory or swapped out. */
export function movableBytes(pid: number): number {
  const status = readOfMemory(pid, 'status', (text) => text.includes('RssAnon:'));
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return (kilobytes('RssAnon') + kilobytes('VmSwap')) * 1024;
}

/** The command line, words apart by spaces; empty when the process has none to show. */
export function readCommand(pid: number): string {
  const text = readOfMemory(pid, 'cmdline', (words) => words !== '');
  return text.replace(/\0+$/, '').replaceAll('\0', ' ');
}

export function readExecutable(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return null;
  }
}

let users: { text: string | null; names: Map<number, string> } | null = null;
/** The user's name from /etc/passwd, or the number where it has none. */
export function userName(uid: number): string {
  const text = readIfThere('/etc/passwd');
  if (!users || users.text !== text) {
    const names = new Map<number, string>();
    for (const line of (text ?? '').split('\n')) {
      const [name, , number] = line.split(':');
      if (name && number !== undefined && !names.has(Number(number))) names.set(Number(number), name);
    }
    users = { text, names };
  }
  return users.names.get(uid) ?? `${uid}`;
}

/** Its children; proc(5), /proc/PID/task/TID/children. */
export function readChildren(pid: number): number[] {
  const text = readIfThere(`/proc/${pid}/task/${pid}/children`) ?? '';
  return text.split(' ').filter(Boolean).map(Number);
}

/** The number the process has in its own, innermost pid namespace (proc(5), NSpid); null when it has ended. */
export function innermostPid(pid: number): number | null {
  const line = /^NSpid:\s*(.*)$/m.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1];
  return line === undefined ? null : Number(line.split(/\s+/).at(-1));
}
