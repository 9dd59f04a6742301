/**
 * What this node has and how busy it is, within the limits it runs in: a node may be a container, whose /proc/loadavg and /proc/meminfo are
 * the whole machine's. The limits stand in version 1 or version 2 control groups.
 */
import { availableParallelism, freemem, totalmem } from 'node:os';
import path from 'node:path';
import type { Clock } from '../shared/clock.js';
import { readIfThere } from '../shared/files.js';

export interface Capacity {
  cpus: number;
  /** Processors busy on average since the last sample. */
  load: number;
  memoryBytes: number;
  memoryFreeBytes: number;
}

export interface Swap {
  swapBytes: number;
  swapFreeBytes: number;
}

interface Hierarchy {
  directory: string;
  root: string;
  version: 1 | 2;
}

/** Where a controller's tree is mounted: alone or with others in version 1, in the one tree of version 2. */
export function findHierarchy(mountinfo: string, controller: string): Hierarchy | null {
  let second: Hierarchy | null = null;
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '/', directory = ''] = left.split(' ');
    const [type = '', , options = ''] = right.split(' ');
    if (type === 'cgroup' && options.split(',').includes(controller)) return { directory, root, version: 1 };
    if (type === 'cgroup2') second = { directory, root, version: 2 };
  }
  return second;
}

/** The groups from our own up to the mounted root, in one controller's tree. */
export function ownGroups(hierarchy: Hierarchy, procCgroup: string, controller: string): string[] {
  const line = procCgroup.split('\n').find((entry) => {
    const [id, controllers = ''] = entry.split(':');
    return hierarchy.version === 2 ? id === '0' : controllers.split(',').includes(controller);
  });
  const group = line?.split(':').slice(2).join(':') ?? '/';
  const relative = path.relative(hierarchy.root, group);
  if (relative.startsWith('..')) return [hierarchy.directory];
  const groups: string[] = [];
  for (let at = relative; ; at = path.dirname(at)) {
    groups.push(path.join(hierarchy.directory, at));
    if (at === '' || at === '.') return groups;
  }
}

const numberIn = (file: string): number | null => {
  const text = readIfThere(file)?.trim();
  return text && /^\d+$/.test(text) ? Number(text) : null;
};

interface CpuGroup {
  cpus: number;
  /** Processor seconds used by the group so far. */
  used(): number | null;
}

function cpuLimit(groups: readonly string[], version: 1 | 2, usageGroups: readonly string[]): CpuGroup | null {
  for (const [index, group] of groups.entries()) {
    if (version === 2) {
      const [quota = 'max', period = '100000'] = (readIfThere(`${group}/cpu.max`) ?? 'max').trim().split(' ');
      if (quota === 'max') continue;
      const used = (): number | null => {
        const match = /^usage_usec (\d+)/m.exec(readIfThere(`${group}/cpu.stat`) ?? '');
        return match ? Number(match[1]) / 1e6 : null;
      };
      return { cpus: Number(quota) / Number(period), used };
    }
    const quota = numberIn(`${group}/cpu.cfs_quota_us`);
    const period = numberIn(`${group}/cpu.cfs_period_us`);
    if (quota === null || period === null) continue;
    const usage = usageGroups[index] ?? group;
    const used = (): number | null => {
      const nanoseconds = numberIn(`${usage}/cpuacct.usage`);
      return nanoseconds === null ? null : nanoseconds / 1e9;
    };
    return { cpus: quota / period, used };
  }
  return null;
}

/** The whole machine's busy processor seconds, from the first line of /proc/stat (proc(5)): all but idle and iowait. */
function machineUsed(): number {
  const fields = (readIfThere('/proc/stat') ?? '').split('\n')[0]?.split(/\s+/).slice(1, 9).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) / 100;
}

function memoryLimit(groups: readonly string[], version: 1 | 2): { bytes: number; used: number } | null {
  const [limit, current, inactive] =
    version === 2
      ? ['memory.max', 'memory.current', 'inactive_file']
      : ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'];
  for (const group of groups) {
    const bytes = numberIn(`${group}/${limit}`);
    if (bytes === null || bytes >= totalmem()) continue;
    // File pages that nobody uses are given back when asked for.
    const cache = Number(new RegExp(`^${inactive} (\\d+)`, 'm').exec(readIfThere(`${group}/memory.stat`) ?? '')?.[1] ?? 0);
    return { bytes, used: Math.max(0, (numberIn(`${group}/${current}`) ?? 0) - cache) };
  }
  return null;
}

/** In kilobytes in /proc/meminfo (proc(5)); a kernel without swap says 0, or nothing. */
function machineSwap(): Swap {
  const text = readIfThere('/proc/meminfo') ?? '';
  const bytes = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { swapBytes: bytes('SwapTotal'), swapFreeBytes: bytes('SwapFree') };
}

/** Version 1 limits memory and swap together, version 2 swap alone. */
export function swapLimit(groups: readonly string[], version: 1 | 2): { bytes: number; used: number } | null {
  for (const group of groups) {
    if (version === 2) {
      const bytes = numberIn(`${group}/memory.swap.max`);
      if (bytes !== null) return { bytes, used: numberIn(`${group}/memory.swap.current`) ?? 0 };
      continue;
    }
    const [all, memory] = [numberIn(`${group}/memory.memsw.limit_in_bytes`), numberIn(`${group}/memory.limit_in_bytes`)];
    if (all === null || memory === null || memory >= totalmem()) continue;
    const used = (numberIn(`${group}/memory.memsw.usage_in_bytes`) ?? 0) - (numberIn(`${group}/memory.usage_in_bytes`) ?? 0);
    return { bytes: Math.max(0, all - memory), used: Math.max(0, used) };
  }
  return null;
}

function groupsFor(controller: string): { groups: string[]; version: 1 | 2 } {
  const hierarchy = findHierarchy(readIfThere('/proc/self/mountinfo') ?? '', controller);
  if (!hierarchy) return { groups: [], version: 2 };
  return { groups: ownGroups(hierarchy, readIfThere('/proc/self/cgroup') ?? '', controller), version: hierarchy.version };
}

const SHORTEST_SAMPLE_SECONDS = 0.5;

/** Measures between the questions: load is what was used since the one before. */
export class LoadMeter {
  /** Is this node a part of its machine? */
  readonly isPart: boolean;
  private readonly cpu: CpuGroup;
  private readonly memory = groupsFor('memory');
  private last: { at: number; used: number };
  private load = 0;

  constructor(private readonly clock: Clock) {
    const { groups, version } = groupsFor('cpu');
    const limit = cpuLimit(groups, version, groupsFor('cpuacct').groups);
    this.isPart = limit !== null;
    this.cpu = limit ?? { cpus: availableParallelism(), used: machineUsed };
    this.last = { at: clock.seconds(), used: this.cpu.used() ?? 0 };
  }

  capacity(): Capacity {
    const at = this.clock.seconds();
    const passed = at - this.last.at;
    if (passed >= SHORTEST_SAMPLE_SECONDS) {
      const used = this.cpu.used() ?? this.last.used;
      this.load = Math.max(0, (used - this.last.used) / passed);
      this.last = { at, used };
    }
    const limit = memoryLimit(this.memory.groups, this.memory.version);
    const machineFree = freemem();
    return {
      cpus: this.cpu.cpus,
      load: this.load,
      memoryBytes: limit?.bytes ?? totalmem(),
      memoryFreeBytes: limit ? Math.min(machineFree, Math.max(0, limit.bytes - limit.used)) : machineFree,
    };
  }

  /** Swap space within the limits, as it is now. */
  swap(): Swap {
    const machine = machineSwap();
    const limit = swapLimit(this.memory.groups, this.memory.version);
    if (!limit) return machine;
    const swapBytes = Math.min(machine.swapBytes, limit.bytes);
    return { swapBytes, swapFreeBytes: Math.min(machine.swapFreeBytes, Math.max(0, swapBytes - limit.used)) };
  }
}
