/**
 * Jobs: each launch is one, with its options and all descendants of its first process. What is known of a job is in a file, and who belongs
 * to it is known by the kernel (its control group), so that a daemon that died finds every job again.
 */
import { randomBytes } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Clock } from '../shared/clock.js';
import { unserved } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { namesIn, readJson, removeFile, writeAtomically } from '../shared/files.js';
import { type CgroupTree, JOB_GROUP_PREFIX } from './cgroups.js';
import { Ancestry } from './ancestry.js';
import type { GroupUsages } from './group-usages.js';
import { identity, identityOf, isPresent } from './identity.js';
import { readUids } from './proc.js';

const jobOptions = z.object({
  /** The id given by -J. */
  id: z.string().nullable(),
  locked: z.boolean(),
  clock: z.enum(['home', 'host']),
  unserved: unserved.default('home'),
  /** Files are read ahead of its processes while they are away. */
  read_ahead: z.boolean().default(true),
  write_behind: z.boolean().default(true),
  awake: z.boolean().default(true),
  lazy: z.boolean().default(false),
  /** Of what it was seen to do, kept each second (-d); null: as usual. */
  decay: z.number().nullable().default(null),
  /** Taken for one that computes, whatever it calls (-c). */
  pure: z.boolean().default(false),
  /** Of the rules by which its processes are frozen (-G); null: the usual. */
  freezing_class: z.string().nullable().default(null),
  /** What each of its processes is expected to need (-m); 0: not known. */
  memory_bytes: z.number().default(0),
  /** May go to other clusters (-G). */
  abroad: z.boolean().default(false),
});
export type JobOptions = z.infer<typeof jobOptions>;

const jobRecord = jobOptions.extend({
  version: z.literal(1),
  number: z.int(),
  launcher: identity,
  started: z.number(),
  /** Its real user; null: not known. */
  uid: z.int().nullable().default(null),
  /** The directory of its control group; null where none could be made: then `members` are followed by ancestry. */
  group: z.string().nullable(),
  members: z.array(identity),
  /** Those that left it, where it is followed by ancestry: they and what comes from them do not belong to it. */
  natives: z.array(identity).default([]),
});
export type Job = z.infer<typeof jobRecord>;

const LOOKS_AT_END = 10;
const LOOK_SECONDS = 0.1;

export class JobBook {
  private readonly jobs = new Map<number, Job>();
  private readonly watchers = new Map<number, FSWatcher>();
  private readonly ancestry = new Ancestry();
  /** The processes of jobs when they were last asked for, and what their groups had used before. */
  private readonly seen = new Map<number, { usage: number; processes: readonly number[] }>();
  private nextNumber = 1;

  /**
   * @param onEnded told of the jobs that have ended.
   * @param usages null: every look is at everything.
   */
  constructor(
    private readonly directory: string,
    private readonly tree: CgroupTree | null,
    private readonly clock: Clock,
    private readonly onEnded: (ended: readonly Job[]) => void,
    private readonly usages: GroupUsages | null = null,
  ) {}

  /** Finds the jobs of an earlier life. */
  load(): void {
    for (const name of namesIn(this.directory)) {
      const file = path.join(this.directory, name);
      const parsed = jobRecord.safeParse(readJson(file));
      if (!parsed.success) {
        if (name.endsWith('.json')) removeFile(file);
        continue;
      }
      this.jobs.set(parsed.data.number, parsed.data);
      this.nextNumber = Math.max(this.nextNumber, parsed.data.number + 1);
      this.watchEnd(parsed.data);
    }
    this.sweep();
  }

  get tracking(): string {
    return this.tree ? `control groups (${this.tree.mount.directory})` : 'ancestry: no cgroup v2 tree is mounted';
  }

  /** Makes a job of a launcher that is waiting; null when the launcher is gone. */
  create(launcherPid: number, options: JobOptions): Job | null {
    const launcher = identityOf(launcherPid);
    if (!launcher) return null;
    const number = this.nextNumber++;
    const group = this.tree?.isolate(launcherPid, `${JOB_GROUP_PREFIX}${number}-${randomBytes(4).toString('hex')}`) ?? null;
    const job: Job = {
      version: 1,
      ...options,
      number,
      launcher,
      started: this.clock.wallSeconds(),
      uid: readUids(launcherPid)?.real ?? null,
      group,
      members: group ? [] : [launcher],
      natives: [],
    };
    // Another job's may have lost a process to it.
    this.seen.clear();
    this.jobs.set(number, job);
    this.write(job);
    this.watchEnd(job);
    return job;
  }

  private file(number: number): string {
    return path.join(this.directory, `${number}.json`);
  }

  private write(job: Job): void {
    writeAtomically(this.file(job.number), JSON.stringify(job));
  }

  all(): Job[] {
    return [...this.jobs.values()];
  }

  /** The job a process belongs to: the innermost, for a mosrun within a mosrun. */
  jobOf(pid: number): Job | null {
    const group = this.tree?.groupOf(pid) ?? null;
    let found: Job | null = null;
    for (const job of this.jobs.values()) {
      if (job.group !== null && group !== null && (group === job.group || group.startsWith(`${job.group}/`))) {
        if (!found?.group || found.group.length < job.group.length) found = job;
      } else if (job.group === null && this.processes(job).includes(pid)) {
        found ??= job;
      }
    }
    return found;
  }

  /** Takes a process out of every job it is in. */
  leave(pid: number): void {
    this.seen.clear();
    for (let job = this.jobOf(pid); job !== null; job = this.jobOf(pid)) {
      const present = identityOf(pid);
      if (job.group === null && present) {
        job.natives = [...job.natives.filter(isPresent), present];
        this.write(job);
      } else if (!this.tree?.leave(pid)) {
        throw new MosrunError('failed', `process ${pid} cannot be taken out of its job: see the daemon's log`);
      }
    }
  }

  processes(job: Job): number[] {
    if (job.group !== null) return this.tree?.processes(job.group) ?? [];
    const members = this.ancestry.follow(job.members, job.natives);
    if (members.length !== job.members.length || members.some((one, index) => one.pid !== job.members[index]?.pid)) {
      job.members = members;
      this.write(job);
    }
    return members.map((one) => one.pid);
  }

  /**
   * Finds out which jobs have done something at home. It costs a system call for each.
   * @param ageSeconds what was found out within that time is good enough.
   */
  refresh(ageSeconds = 0): void {
    this.usages?.refresh(ageSeconds);
  }

  /** Processor time its processes had used at home when that was last found out, in microseconds; NaN, which equals nothing: not known. */
  usageOf(job: Job): number {
    return this.usages?.of(job.number) ?? Number.NaN;
  }

  /** Its processes when that was last found out: the same list as before while nothing has changed. */
  lastProcesses(job: Job): readonly number[] {
    const usage = this.usageOf(job);
    const known = this.seen.get(job.number);
    if (known?.usage === usage) return known.processes;
    const processes = this.processes(job);
    if (!Number.isNaN(usage)) this.seen.set(job.number, { usage, processes });
    return processes;
  }

  /** cgroup.events changes when the last process has gone: no need to look at any other time. */
  private watchEnd(job: Job): void {
    if (job.group === null) return;
    this.usages?.add(job.number, job.group);
    try {
      const watcher = watch(path.join(job.group, 'cgroup.events'), { persistent: false }, () => {
        this.sweepPatiently(job);
      });
      watcher.on('error', () => {});
      this.watchers.set(job.number, watcher);
    } catch {
      // No inotify watch left, or the group is gone: the next listing sweeps.
    }
  }

  /** The kernel tells a moment before the last process is a zombie: then this job is looked at again. */
  private sweepPatiently(job: Job, tries = LOOKS_AT_END): void {
    this.sweep();
    if (tries === 0 || !this.jobs.has(job.number) || this.processes(job).length > 0) return;
    this.clock.after(LOOK_SECONDS, () => {
      this.sweepPatiently(job, tries - 1);
    });
  }

  /** Forgets the jobs that have ended, and takes their groups away. */
  sweep(): void {
    const ended: Job[] = [];
    for (const job of this.jobs.values()) {
      if (this.processes(job).length > 0 || isPresent(job.launcher)) continue;
      if (job.group !== null && !this.tree?.remove(job.group)) continue;
      this.watchers.get(job.number)?.close();
      this.watchers.delete(job.number);
      this.usages?.remove(job.number);
      this.seen.delete(job.number);
      this.jobs.delete(job.number);
      removeFile(this.file(job.number));
      ended.push(job);
    }
    if (ended.length > 0) this.onEnded(ended);
  }

  /** The groups of jobs that have ended go with the daemon; nobody else would take them away. */
  close(): void {
    this.sweep();
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
    this.usages?.clear();
  }
}
