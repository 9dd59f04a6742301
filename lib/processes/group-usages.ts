/**
 * What the groups of jobs have used of a processor. Who does nothing there forks nothing, is not stopped and does not come home: as long as a group has
 * used no more, all that was seen of its processes is as it was, and thousands of them need not be looked at.
 */
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../shared/clock.js';
import { readIfThere } from '../shared/files.js';

/** The kernel's limit on descriptors; proc(5), limits. The soft one is the hard one in Node. */
function mostDescriptors(): number {
  const [, soft = '1024'] = /^Max open files\s+(\d+)/m.exec(readIfThere('/proc/self/limits') ?? '') ?? [];
  return Number(soft);
}

export interface GroupUsagePorts {
  clock: Pick<Clock, 'seconds'>;
  /** By descriptors of cpu.stat: microseconds, or NaN. */
  usages: (descriptors: Int32Array) => Float64Array;
}

export class GroupUsages {
  private readonly files = new Map<number, number>();
  /** As last read. */
  private readonly read = new Map<number, number>();
  private readAt = Number.NEGATIVE_INFINITY;
  /** The others of this program need descriptors too. */
  private readonly most = mostDescriptors() / 2;

  constructor(private readonly ports: GroupUsagePorts) {}

  /** A job has got a group. Of one that cannot be watched nothing is known. */
  add(job: number, directory: string): void {
    if (this.files.size >= this.most) return;
    try {
      this.files.set(job, openSync(path.join(directory, 'cpu.stat'), 'r'));
    } catch {
      // Kernels before 4.15 have no such file.
    }
  }

  remove(job: number): void {
    const file = this.files.get(job);
    if (file === undefined) return;
    closeSync(file);
    this.files.delete(job);
    this.read.delete(job);
  }

  clear(): void {
    for (const job of this.files.keys()) this.remove(job);
  }

  /** Reads all of them. @param ageSeconds what was read within that time is good enough. */
  refresh(ageSeconds = 0): void {
    const now = this.ports.clock.seconds();
    if (now - this.readAt < ageSeconds) return;
    this.readAt = now;
    const usages = this.ports.usages(Int32Array.from(this.files.values()));
    let at = 0;
    for (const job of this.files.keys()) this.read.set(job, usages[at++] ?? Number.NaN);
  }

  /** What the group of that job had used when all were read; NaN, which equals nothing: not known. */
  of(job: number): number {
    return this.read.get(job) ?? Number.NaN;
  }
}
