/** Who runs, or wants to: what the kernel would give a processor to if it had one to spare. */
import { namesIn, readIfThere } from '../shared/files.js';
import { type ProcessFacts, readFacts } from './proc.js';

/** Threads in state R; proc(5). */
export function runnableThreads(facts: ProcessFacts): number {
  const { pid, threads, state } = facts;
  if (threads <= 1) return state === 'R' ? 1 : 0;
  return namesIn(`/proc/${pid}/task`).filter((thread) => {
    const text = readIfThere(`/proc/${pid}/task/${thread}/stat`) ?? '';
    return text[text.lastIndexOf(')') + 2] === 'R';
  }).length;
}

/** On the whole machine, this thread left out: the kernel's own count (proc(5), loadavg: field 4). */
export function runnableOnMachine(): number {
  const [running = '1'] = (readIfThere('/proc/loadavg') ?? '').split(' ')[3]?.split('/') ?? [];
  return Math.max(0, Number(running) - 1);
}

/** Of those this node sees: where it is a part of its machine, the kernel's count is of others too. */
export function runnableHere(): number {
  let sum = 0;
  for (const name of namesIn('/proc')) {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid) continue;
    const facts = readFacts(pid);
    if (facts) sum += runnableThreads(facts);
  }
  return sum;
}

/** Calls of a process at home that would be carried out at home if it were away, and what they carry: those that the kernel counts (proc(5), io). */
export function readTransfers(pid: number): { calls: number; bytes: number } {
  let text: string;
  try {
    text = readIfThere(`/proc/${pid}/io`) ?? '';
  } catch {
    text = '';
  }
  const number = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { calls: number('syscr') + number('syscw'), bytes: number('rchar') + number('wchar') };
}
