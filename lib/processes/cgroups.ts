/**
 * Job groups in the cgroup v2 tree: all descendants of a launch stay in its group, which is how they stay known without tracing. The tree
 * may be the only one, or stand beside version 1 ones (hybrid: /sys/fs/cgroup/unified); cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from '../shared/errors.js';
import { namesIn, readIfThere } from '../shared/files.js';

export interface CgroupMount {
  /** Where it is mounted. */
  directory: string;
  /** The group that is mounted there, as /proc/PID/cgroup would name it. */
  root: string;
  /** Mounted so that a process changes its group at once; else the kernel waits for an RCU grace period, some 10 ms (favordynmods). */
  favorsMoves: boolean;
}

/** Finds the cgroup v2 tree; mountinfo is proc(5)'s table: fields, a dash, the type. */
export function findCgroupMount(mountinfo: string): CgroupMount | null {
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    if (!right?.startsWith('cgroup2 ')) continue;
    const fields = (left ?? '').split(' ');
    const decode = (text: string): string =>
      text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const favorsMoves = (right.split(' ').at(-1) ?? '').split(',').includes('favordynmods');
    return { root: decode(fields[3] ?? '/'), directory: decode(fields[4] ?? ''), favorsMoves };
  }
  return null;
}

/** The directory of the group a process is in; null when it lies outside of what is mounted here. */
export function groupDirectory(mount: CgroupMount, procCgroup: string): string | null {
  const group = /^0::(.*)$/m.exec(procCgroup)?.[1];
  if (group === undefined || group.includes('..') || mount.root.includes('..')) return null;
  const relative = path.relative(mount.root, group.replace(/ \(deleted\)$/, ''));
  if (relative.startsWith('..')) return null;
  return path.join(mount.directory, relative);
}

export class CgroupTree {
  constructor(
    readonly mount: CgroupMount,
    /** Where jobs go whose launcher's own group cannot have a child. */
    private readonly ownGroup: string,
  ) {}

  /** @param ownGroup the group given in the configuration, below the mount; empty: the one this daemon is in. */
  static find(ownGroup: string): CgroupTree | null {
    const mount = findCgroupMount(readIfThere('/proc/self/mountinfo') ?? '');
    if (!mount) return null;
    const own = ownGroup ? path.join(mount.directory, ownGroup) : groupDirectory(mount, readIfThere('/proc/self/cgroup') ?? '');
    return new CgroupTree(mount, own ?? mount.directory);
  }

  /**
   * Has the kernel favor such changes, for the whole machine and until it is started again: forks and exits cost a little more then, since
   * Linux 6.18 hardly anything. Throws what mount(8) says.
   */
  favorMoves(): void {
    if (this.mount.favorsMoves) return;
    execFileSync('mount', ['-o', 'remount,favordynmods', this.mount.directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 5000,
    });
  }

  groupOf(pid: number): string | null {
    return groupDirectory(this.mount, readIfThere(`/proc/${pid}/cgroup`) ?? '');
  }

  /**
   * Puts a process into a new group of that name: below its own group, so that every limit set there still holds; else below ours. Nobody
   * else may use the name, as another daemon of this machine might: a job would not end before the other's.
   */
  isolate(pid: number, name: string): string | null {
    const present = this.groupOf(pid);
    const below = present && present !== this.ownGroup && present.length < LONGEST_PARENT;
    for (const parent of below ? [present, this.ownGroup] : [this.ownGroup]) {
      const directory = path.join(parent, name);
      try {
        mkdirSync(directory);
      } catch {
        continue;
      }
      try {
        writeFileSync(path.join(directory, 'cgroup.procs'), `${pid}`);
        return directory;
      } catch {
        this.remove(directory);
      }
    }
    return null;
  }

  /** Takes a process out of every job's group it is in, into the group that was there before, else into ours; false when that fails. */
  leave(pid: number): boolean {
    const group = this.groupOf(pid);
    const words = group?.split('/') ?? [];
    const job = words.findIndex((word) => word.startsWith(JOB_GROUP_PREFIX));
    if (job < 0) return true;
    for (const directory of [words.slice(0, job).join('/'), this.ownGroup]) {
      try {
        writeFileSync(path.join(directory, 'cgroup.procs'), `${pid}`);
        return true;
      } catch {
        // A group that has been given controllers since then takes no process (cgroups(7), no internal processes).
      }
    }
    return false;
  }

  processes(directory: string): number[] {
    const text = readIfThere(path.join(directory, 'cgroup.procs')) ?? '';
    // 0 stands for a process this pid namespace cannot name.
    return text
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0);
  }

  /** Removes a group and the empty ones below it; false while somebody is in one of them. */
  remove(directory: string): boolean {
    for (const name of namesIn(directory)) {
      if (name.startsWith(JOB_GROUP_PREFIX)) this.remove(path.join(directory, name));
    }
    try {
      rmdirSync(directory);
      return true;
    } catch (error) {
      return systemCode(error) === 'ENOENT';
    }
  }
}

/** A process that launches again and again would go deeper each time, until no path is long enough (path_resolution(7)). */
const LONGEST_PARENT = 1024;

export const JOB_GROUP_PREFIX = 'mosrun-job-';
