/**
 * A process that came home by itself (for a call that cannot be served away), and a child born away that came home, still hold the stub, and
 * no mover is there to take it out. Only jobs of which something was sent away are looked into, and only until all of them is clean: a
 * program that never moves costs nothing.
 */
import type { Glance } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { Job, JobBook } from './jobs.js';

const INTERVAL_SECONDS = 1;
/** Of a processor, at most: where there are thousands they are looked into less often. */
const SHARE = 1 / 40;
/** As above, of those that do nothing. */
const QUIET_SHARE = 1 / 200;
/** One that does nothing at home is looked into once in that time all the same: a debugger may have attached to it that lets it rest. */
const QUIET_SECONDS = 60;

export interface CleanerPorts {
  clock: Clock;
  jobs: Pick<JobBook, 'all' | 'jobOf' | 'refresh' | 'usageOf' | 'lastProcesses'>;
  look: (pid: number) => Glance | null;
  isMoving: (pid: number) => boolean;
  /** False: it could not be cleaned now. */
  clean: (pid: number) => Promise<boolean>;
  /** Told of every process that is looked into. */
  onLook: (pid: number, glance: Glance | null) => void;
  /** Takes away the files of processes that are at home again. */
  tidy: () => void;
  /** What looking takes: seconds that pass, and those of a processor. */
  spent: () => { seconds: number; cpuSeconds: number };
}

export class Cleaner {
  private readonly watched = new Set<number>();
  /** Jobs all of whose processes stand still away: what they had used at home before that was seen, and when it was. */
  private readonly quiet = new Map<number, { usage: number; at: number }>();
  /** Those at home at the last look: cleaned at the next, so that one that is ordered away again at once is left alone. */
  private settled = new Set<number>();
  private cancel = (): void => {};

  constructor(private readonly ports: CleanerPorts) {}

  /** Whatever an earlier life of the daemon sent away may need it: all jobs are looked into once. */
  start(): void {
    for (const job of this.ports.jobs.all()) this.watched.add(job.number);
    this.look();
  }

  stop(): void {
    this.cancel();
    this.watched.clear();
    this.quiet.clear();
  }

  watch(pid: number): void {
    const job = this.ports.jobs.jobOf(pid);
    if (!job) return;
    if (this.watched.size === 0) this.schedule();
    this.watched.add(job.number);
    this.quiet.delete(job.number);
  }

  private schedule(seconds = INTERVAL_SECONDS): void {
    this.cancel();
    this.cancel = this.ports.clock.after(seconds, () => {
      this.look();
    });
  }

  private look(): void {
    const { clock, jobs, tidy, spent } = this.ports;
    const before = spent();
    jobs.refresh();
    const began = spent();
    const asking = began.cpuSeconds - before.cpuSeconds;
    const now = clock.seconds();
    const home = new Set<number>();
    let changed = false;
    const all = jobs.all();
    // Not all of those that were sent away together at once.
    let rounds = Math.ceil(this.quiet.size / QUIET_SECONDS);
    for (const job of all) {
      if (!this.watched.has(job.number)) continue;
      const known = this.quiet.get(job.number);
      if (known?.usage === jobs.usageOf(job) && (now - known.at < QUIET_SECONDS || rounds-- <= 0)) continue;
      this.quiet.delete(job.number);
      if (this.lookInto(job, home, now)) continue;
      this.watched.delete(job.number);
      this.quiet.delete(job.number);
      changed = true;
    }
    this.forget(all);
    this.settled = home;
    if (changed) tidy();
    const took = spent().seconds - began.seconds;
    if (this.watched.size > 0) this.schedule(Math.max(INTERVAL_SECONDS, took / SHARE, asking / QUIET_SHARE));
  }

  /** Those that have ended. */
  private forget(all: readonly Job[]): void {
    const present = new Set(all.map((job) => job.number));
    for (const number of this.watched) {
      if (present.has(number)) continue;
      this.watched.delete(number);
      this.quiet.delete(number);
    }
  }

  /** False when nothing of the job is away, moving, or in need of cleaning. */
  private lookInto(job: Job, home: Set<number>, now: number): boolean {
    const { look, isMoving, jobs, clean } = this.ports;
    const usage = jobs.usageOf(job);
    let goesOn = false;
    let isQuiet = true;
    for (const pid of jobs.lastProcesses(job)) {
      const glance = look(pid);
      this.ports.onLook(pid, glance);
      if (!isStill(glance) || isMoving(pid)) isQuiet = false;
      if (!glance && !isMoving(pid)) continue;
      goesOn = true;
      if (glance?.state !== 'home' || isMoving(pid)) continue;
      home.add(pid);
      if (this.settled.has(pid)) {
        // What failed is tried again at the next look.
        clean(pid).catch(() => {});
      }
    }
    if (isQuiet) this.quiet.set(job.number, { usage, at: now });
    return goesOn;
  }
}

/** At home, or waiting away for what its guest asks: nobody traces it, and it is not stopped. */
const isStill = (glance: Glance | null): boolean =>
  glance === null || (glance.state === 'away' && glance.letter === 'S' && glance.tracer === 0);
