/** Which calls brought a process home, read out of the process itself, and whether the table says that they are served away. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import path from 'node:path';
import { table } from '../../native/syscalls/table.js';
import { homeProcess } from './kernel.js';
import { repository, type Testbed, tryRead } from './testbed.js';

interface Layout {
  magic: bigint;
  returns: number;
  count: number;
}

/** Where the counters are in the control page: asked of the compiler, so that the header stays the only truth. */
function layoutOf(): Layout {
  const directory = path.join(repository, 'build/programs');
  // Another file of tests may be asking at the same time: what is being written cannot be run.
  const program = path.join(directory, `control-layout-${process.pid}`);
  mkdirSync(directory, { recursive: true });
  const source = `
    #include <stdio.h>
    #include "layout.h"
    using mosrun::Control;
    int main() {
      printf("[\\"%llu\\",%zu,%zu]\\n", (unsigned long long)mosrun::kControlMagic,
             offsetof(Control, statistics) + offsetof(mosrun::Statistics, returns), sizeof(mosrun::Statistics::returns) / 4);
    }`;
  const words = ['-std=c++20', '-I', path.join(repository, 'native/stub'), '-x', 'c++', '-', '-o', program];
  const { status, stderr } = spawnSync('g++', words, { input: source, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the control page's layout: ${stderr}`);
  const { stdout } = spawnSync(program, { encoding: 'utf8' });
  rmSync(program, { force: true });
  const [magic, returns, count] = JSON.parse(stdout) as [string, number, number];
  return { magic: BigInt(magic), returns, count };
}

/** Calls that may bring a process home: those of which the table says so, for all arguments or for some. */
const mayComeHome = new Set(
  table
    .filter(
      ({ place, rules, args }) =>
        place === 'comehome' || rules.some((rule) => rule.place === 'comehome') || args.some(({ dir }) => dir === 'command'),
    )
    .map(({ name }) => name),
);
const names = new Map(table.map(({ number, name }) => [number, name]));

/** Bytes read; by another thread where the first has ended, which has no memory then. */
function readMemory(pid: number, buffer: Buffer, at: number): number {
  for (const task of [`${pid}`, ...readdirSync(`/proc/${pid}/task`)]) {
    let memory: number | undefined;
    try {
      memory = openSync(`/proc/${task}/mem`, 'r');
      const got = readSync(memory, buffer, 0, buffer.length, at);
      if (got > 0) return got;
    } catch {
      // It has no memory, or not there.
    } finally {
      if (memory !== undefined) closeSync(memory);
    }
  }
  return 0;
}

/** Watches all processes of a node that were away once, until it is closed. */
export class ComeHomes {
  private readonly layout = layoutOf();
  private readonly controls = new Map<number, { home: number; control: number }>();
  private readonly seen = new Map<number, Uint32Array>();
  private readonly past = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly testbed: Testbed,
    private readonly init: number,
  ) {
    this.timer = setInterval(() => this.sample(), 50);
  }

  private sample(): void {
    const directory = `/proc/${this.init}/root/run/mosrun/processes`;
    let files: string[] = [];
    try {
      files = readdirSync(directory).filter((name) => /^\d+\.json$/.test(name));
    } catch {
      return; // nothing has ever been away
    }
    for (const file of files) {
      const pid = Number.parseInt(file, 10);
      const control = Number(/"control":\s*"(0x[0-9a-f]+)"/.exec(tryRead(path.join(directory, file)))?.[1] ?? 0);
      const home = this.controls.get(pid)?.home ?? homeProcess(this.testbed, 1, pid);
      if (control && home) this.controls.set(pid, { home, control });
    }
    for (const [pid, { home, control }] of this.controls) this.read(pid, home, control);
  }

  private read(pid: number, home: number, control: number): void {
    const buffer = Buffer.alloc(this.layout.returns + 4 * this.layout.count);
    try {
      const got = readMemory(home, buffer, control);
      if (got < buffer.length || buffer.readBigUInt64LE(0) !== this.layout.magic) return;
    } catch {
      return; // it has ended, or has no control page at the moment
    }
    const now = new Uint32Array(this.layout.count).map((_, number) => buffer.readUInt32LE(this.layout.returns + 4 * number));
    const before = this.seen.get(pid);
    // Counters that went down have begun anew: another program runs in the process.
    if (before && before.some((value, number) => value > (now[number] ?? 0))) this.keep(before);
    this.seen.set(pid, now);
  }

  private keep(counts: Uint32Array): void {
    for (const [number, count] of counts.entries()) {
      if (count === 0) continue;
      const name = names.get(number) ?? `number ${number}`;
      this.past.set(name, (this.past.get(name) ?? 0) + count);
    }
  }

  /** How often each call brought a process home. */
  end(): Record<string, number> {
    clearInterval(this.timer);
    for (const counts of this.seen.values()) this.keep(counts);
    this.seen.clear();
    return Object.fromEntries([...this.past].toSorted(([, a], [, b]) => b - a));
  }
}

/**
 * Those of the calls that the table says are served away.
 * @param views the program opens what /proc shows of itself, for which it is brought home by its open
 */
export const wrongly = (counts: Record<string, number>, views = false): string[] =>
  Object.keys(counts).filter((name) => !mayComeHome.has(name) && !(views && /^open(at2?)?$/.test(name)));
