/** Where and when figures were taken, and how quiet it was. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { repository, sleep, tryRead } from '../test/system/testbed.js';

export interface Machine {
  processors: string;
  kernel: string;
  memory_bytes: number;
  virtual: string;
  huge_pages: string;
  node: string;
  commit: string;
}

/** What others did with the processors just before a benchmark. */
export interface Noise {
  load: number;
  busy: number;
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

// user nice system idle iowait irq softirq steal, in ticks (proc_stat(5))
const ticks = (): number[] =>
  (/^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '').split(' ').map(Number).slice(0, 8);

async function noise(): Promise<Noise> {
  const before = ticks();
  await sleep(1);
  const after = ticks();
  const spent = (n: number): number => (after[n] ?? 0) - (before[n] ?? 0);
  const sum = after.reduce((total, _, n) => total + spent(n), 0) || 1;
  return { load: loadavg()[0] ?? 0, busy: 1 - (spent(3) + spent(4)) / sum, stolen: spent(7) / sum };
}

/** Waits for others to leave the processors alone, but not for ever; the noise found is told with the figures. */
export async function quiet(seconds: number): Promise<Noise> {
  for (const end = performance.now() + seconds * 1000; ; await sleep(2)) {
    const found = await noise();
    if (found.busy < 0.05 || performance.now() > end) return found;
  }
}
