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

export interface CleanerPorts {
  clock: Clock;
  jobs: Pick<JobBook, 'all' | 'jobOf' | 'processes'>;
  look: (pid: number) => Glance | null;
  isMoving: (pid: number) => boolean;
  /** False: it could not be cleaned now. */
  clean: (pid: number) => Promise<boolean>;
  /** Told of every process that is looked into. */
  onLook: (pid: number, glance: Glance | null) => void;
  /** Takes away the files of processes that are at home again. */
  tidy: () => void;
}

export class Cleaner {
  private readonly watched = new Set<number>();
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
  }

  watch(pid: number): void {
    const job = this.ports.jobs.jobOf(pid);
    if (!job) return;
    if (this.watched.size === 0) this.schedule();
    this.watched.add(job.number);
  }

  private schedule(seconds = INTERVAL_SECONDS): void {
    this.cancel();
    this.cancel = this.ports.clock.after(seconds, () => {
      this.look();
    });
  }

  private look(): void {
    const began = performance.now();
    const home = new Set<number>();
    let changed = false;
    for (const job of this.ports.jobs.all()) {
      if (!this.watched.has(job.number)) continue;
      if (this.lookInto(job, home)) continue;
      this.watched.delete(job.number);
      changed = true;
    }
    const present = new Set(this.ports.jobs.all().map((job) => job.number));
    for (const number of this.watched) if (!present.has(number)) this.watched.delete(number);
    this.settled = home;
    if (changed) this.ports.tidy();
    const took = (performance.now() - began) / 1000;
    if (this.watched.size > 0) this.schedule(Math.max(INTERVAL_SECONDS, took / SHARE));
  }

  /** False when nothing of the job is away, moving, or in need of cleaning. */
  private lookInto(job: Job, home: Set<number>): boolean {
    const { look, isMoving, jobs, clean } = this.ports;
    let goesOn = false;
    for (const pid of jobs.processes(job)) {
      const glance = look(pid);
      this.ports.onLook(pid, glance);
      if (!glance && !isMoving(pid)) continue;
      goesOn = true;
      if (glance?.state !== 'home' || isMoving(pid)) continue;
      home.add(pid);
      if (this.settled.has(pid)) {
        // What failed is tried again at the next look.
        clean(pid).catch(() => {});
      }
    }
    return goesOn;
  }
}
