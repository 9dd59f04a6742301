/** Where and when figures were taken, and how quiet it was. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { groupTimes } from '../test/system/kernel.js';
import { type Testbed, repository, sleep, tryRead } from '../test/system/testbed.js';

export interface Machine {
  processors: string;
  kernel: string;
  memory_bytes: number;
  virtual: string;
  huge_pages: string;
  /** Free memory was kept from the hypervisor (own-memory.ts). */
  memory_kept?: boolean;
  node: string;
  commit: string;
}

/** What others did with the processors: shares of all their time. */
export interface Noise {
  /** The load average and the use just before a benchmark. */
  load: number;
  before: number;
  /** During it, without what the nodes and the suite itself used; and what the hypervisor took. */
  during: number;
  stolen: number;
}

const says = (command: string, ...words: string[]): string =>
  (spawnSync(command, words, { encoding: 'utf8', cwd: repository }).stdout ?? '').trim();

export function machine(): Machine {
  const all = cpus();
  const changed = says('git', 'status', '--porcelain', '--untracked-files=no', '--', 'native', 'lib', 'bench') !== '';
  return {
    processors: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    kernel: release(),
    memory_bytes: totalmem(),
    virtual: / hypervisor( |$)/m.test(readFileSync('/proc/cpuinfo', 'utf8')) ? 'a virtual machine' : 'not a virtual machine',
    huge_pages: /\[(\w+)\]/.exec(tryRead('/sys/kernel/mm/transparent_hugepage/enabled'))?.[1] ?? 'unknown',
    node: process.version,
    commit: says('git', 'rev-parse', '--short', 'HEAD') + (changed ? ', changed' : ''),
  };
}

interface Ticks {
  all: number;
  busy: number;
  stolen: number;
}

const tick = 0.01; // sysconf(_SC_CLK_TCK) is 100 on x86_64

/** Seconds of all processors together since the start of the machine. */
function ticks(): Ticks {
  const line = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  // user nice system idle iowait irq softirq steal: proc_stat(5)
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0] = line
    .split(' ')
    .map((word) => Number(word) * tick);
  const busy = user + nice + system + interrupts + soft;
  return { all: busy + idle + waiting + stolen, busy, stolen };
}

/** Seconds that the nodes and this process have used. */
function own(testbed: Testbed): number {
  const nodes = groupTimes(`/mosrun-testbed-${testbed.name}`);
  const { user, system } = process.cpuUsage();
  return (nodes ? nodes.user + nodes.system : 0) + (user + system) / 1e6;
}

/** Share of the processors' time in the next second that anybody uses. */
async function use(): Promise<number> {
  const before = ticks();
  await sleep(1);
  const after = ticks();
  return (after.busy - before.busy) / (after.all - before.all);
}

/** Waits for others to leave the processors alone, but not for ever. */
async function quiet(seconds: number): Promise<number> {
  for (const end = performance.now() + seconds * 1000; ; await sleep(2)) {
    const found = await use();
    if (found < 0.05 || performance.now() > end) return found;
  }
}

/** Carries out something that needs quiet, and tells how quiet it was. */
export async function quietly<T>(
  testbed: Testbed,
  patience: number,
  work: () => Promise<T>,
): Promise<{ result: T; noise: Noise }> {
  const before = await quiet(patience);
  const load = loadavg()[0] ?? 0;
  const [then, ownThen] = [ticks(), own(testbed)];
  const result = await work();
  const [now, ownNow] = [ticks(), own(testbed)];
  const all = now.all - then.all;
  const during = Math.max(0, now.busy - then.busy - (ownNow - ownThen)) / all;
  return { result, noise: { load, before, during, stolen: (now.stolen - then.stolen) / all } };
}
