/** The processes that live on this node, and what is kept about them. */
import { processEngine } from '../engine/index.js';
import type { HistoryEntry } from '../shared/documents.js';
import { asMosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import {
  type AskOnward,
  type AskSession,
  type DropSession,
  type Job,
  type JobOptions,
  AwayFiles,
  CgroupTree,
  Finder,
  GroupUsages,
  HistoryBook,
  JobBook,
  Migrations,
  MoverRecords,
  Cleaner,
  Debuggers,
  type StayPorts,
  Stays,
  readTracer,
  Stops,
  type Whereabouts,
  readFacts,
  readUids,
  ProcessTable,
} from '../processes/index.js';
import type { Context } from './context.js';

/** A mover that has outlived its bound by so much hangs. */
const MOVER_GRACE_SECONDS = 5;
/** From the daemon's word to exec(2) it takes a launcher a millisecond; a start on another node takes longer, but is a move already. */
const LAUNCH_SECONDS = 2;
const TIDY_SECONDS = 1;

/** What is asked of other nodes about stays there. */
export interface MoveSessions {
  askSession: AskSession;
  askOnward: AskOnward;
  dropSession: DropSession;
  askUsage: StayPorts['askUsage'];
  /** A process is on disk, with so many bytes of memory. */
  onFrozen: (session: string, bytes: number) => void;
}

export class Residents {
  readonly history: HistoryBook;
  readonly jobs: JobBook;
  readonly migrations: Migrations;
  readonly table: ProcessTable;
  readonly stays: Stays;
  readonly engine: ReturnType<typeof processEngine>;
  readonly hasCgroups: boolean;
  private readonly away: AwayFiles;
  private readonly finder: Finder;
  private readonly cleaner: Cleaner;
  private cancelTidy = (): void => {};
  private readonly launching = new Map<number, Promise<void>>();

  constructor(
    private readonly context: Context,
    sessions: MoveSessions,
  ) {
    const { addon, clock, configuration, events, log, own, runtime } = context;
    const { askSession, askOnward, dropSession, askUsage } = sessions;
    const isStopped = (pid: number): boolean => readFacts(pid)?.state === 'T';
    this.engine = processEngine(context.libexec, runtime('processes'));
    this.away = new AwayFiles(runtime('processes'));
    this.history = new HistoryBook(runtime('history'), (pid, entry, cause) => {
      this.tellMove(pid, entry, cause);
      if (entry.outcome !== 'done') return;
      void this.stays.moved(pid);
      const { session } = this.finder.find(pid);
      if (entry.to === FROZEN && session !== null && entry.bytes !== null) sessions.onFrozen(session, entry.bytes);
    });
    this.finder = new Finder({
      away: this.away,
      inspect: (pid) => addon.inspect(pid),
      nodeAt: (address, port) => {
        const found = context.addresses().find((one) => one.address === address && one.dataPort === port)?.name ?? null;
        return found === own.name ? FROZEN : found;
      },
    });
    this.stays = new Stays({ history: this.history, finder: this.finder, clock, askUsage });
    const tree = CgroupTree.find(configuration().cgroup);
    this.hasCgroups = tree !== null;
    if (tree && configuration().jobs.fast_start) {
      try {
        tree.favorMoves();
      } catch (error) {
        log.error({ error: asMosrunError(error).message }, 'jobs.fast_start has no effect: the cgroup tree cannot be mounted so');
      }
    }
    const usages = new GroupUsages({ clock, usages: (descriptors) => addon.groupUsages(descriptors) });
    const onEnded = (ended: readonly Job[]): void => {
      for (const job of ended) this.tellEnded(job);
      this.tidy();
    };
    this.jobs = new JobBook(runtime('jobs'), tree, clock, onEnded, usages);
    this.migrations = new Migrations({
      self: own.name,
      engine: this.engine,
      finder: this.finder,
      history: this.history,
      clock,
      askSession,
      askOnward,
      dropSession,
      records: new MoverRecords(runtime('movers')),
      settings: () => {
        const { timeout_seconds: timeoutSeconds, compress, keep } = configuration().migration;
        return { timeoutSeconds, compress, keep, graceSeconds: MOVER_GRACE_SECONDS };
      },
      kill: (pid) => {
        process.kill(pid, 'SIGKILL');
      },
      isStopped,
      onStart: (pid, from, to, reason) => {
        const uid = readUids(pid)?.real ?? null;
        events.tell('migration-started', { pid, uid, from, to, reason }, uid);
      },
      onLeaving: (pid) => {
        this.cleaner.watch(pid);
      },
      log: (message, facts) => {
        log.info(facts, message);
      },
    });
    const { history, jobs, migrations, finder } = this;
    const stops = new Stops({
      isStopped,
      tell: (pid, stopped) => addon.tellStopped(pid, stopped),
    });
    const debuggers = new Debuggers({
      tracerOf: readTracer,
      bringHome: async (pid, reason) => {
        const job = jobs.jobOf(pid);
        // What fails stands in the process's history, with its reason.
        if (job) await migrations.order(pid, own.name, job, reason).catch(() => {});
      },
    });
    this.cleaner = new Cleaner({
      clock,
      jobs,
      onLook: (pid, glance) => {
        stops.look(pid, glance);
        debuggers.look(pid, glance);
      },
      look: (pid) => addon.look(pid),
      isMoving: (pid) => migrations.isMoving(pid),
      clean: (pid) => migrations.clean(pid),
      tidy: () => {
        stops.keep((pid) => readFacts(pid) !== null);
        this.tidy();
      },
      spent: () => {
        const { user, system } = process.cpuUsage();
        return { seconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 };
      },
    });
    this.table = new ProcessTable({
      self: own.name,
      jobs,
      finder,
      history,
      migrations,
      whyOwnStay: () => context.settings.whyOwnStay,
    });
  }

  /**
   * Makes a job of a launcher that is waiting; null when the launcher is gone.
   * @param command the program's command line, which the launcher does not show yet.
   * @param launched settles when the launcher has become its program, or has ended.
   */
  createJob(launcherPid: number, options: JobOptions, command: string, launched: Promise<void>): Job | null {
    const job = this.jobs.create(launcherPid, options);
    if (!job) return null;
    this.launching.set(launcherPid, launched);
    void launched.then(() => this.launching.delete(launcherPid));
    const { uid, id, number } = job;
    this.context.events.tell('process-started', { pid: launcherPid, uid, command, job: id, job_number: number }, uid);
    return job;
  }

  isLaunching(pid: number): boolean {
    return this.launching.has(pid);
  }

  /** Settles when the process is a program, not its launcher; or soon, for one that only seems to be a launcher may never say so. */
  async isLaunched(pid: number): Promise<void> {
    const launched = this.launching.get(pid);
    if (!launched) return;
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.context.clock.after(LAUNCH_SECONDS, resolve);
    });
    await Promise.race([launched, late]);
    cancel();
  }

  private tellEnded({ launcher, uid, id, number, started }: Job): void {
    const elapsed = Math.max(0, this.context.clock.wallSeconds() - started);
    const facts = { pid: launcher.pid, uid, job: id, job_number: number, elapsed_seconds: elapsed };
    this.context.events.tell('process-ended', facts, uid);
  }

  private tellMove(pid: number, entry: HistoryEntry, cause: string | null): void {
    const { events } = this.context;
    const uid = readUids(pid)?.real ?? null;
    const { from, to, reason, code, message, freeze_seconds, total_seconds, bytes } = entry;
    const move = { pid, uid, from, to, reason };
    if (cause !== null) events.tell('came-home', { pid, uid, from, call: cause, freeze_seconds }, uid);
    else if (entry.outcome === 'done') events.tell('migration-finished', { ...move, freeze_seconds, total_seconds, bytes }, uid);
    else events.tell('migration-failed', { ...move, code: code ?? 'failed', message: message ?? '' }, uid);
  }

  whereIs(pid: number): Whereabouts {
    return this.finder.find(pid);
  }

  /** The session of a process that is on that node; null when it is not there. */
  readonly sessionAt = (pid: number, node: string): string | null => {
    const found = this.finder.find(pid);
    return found.node === node ? found.session : null;
  };

  /** Finds again what an earlier life left. */
  load(): void {
    this.jobs.load();
    this.migrations.restore();
    this.tidy();
    this.cleaner.start();
  }

  stop(): void {
    this.cleaner.stop();
    this.jobs.close();
    this.cancelTidy();
  }

  /** Takes away the files of processes that have ended or are at home again. */
  tidy(): void {
    this.cancelTidy();
    const kept = this.away.sweep((pid) => this.migrations.isMoving(pid) || this.finder.find(pid).node !== null);
    this.history.sweep();
    // Of a process that ended while its mover was at work nobody else tells when the mover has ended too.
    if (kept.some((pid) => !this.jobs.jobOf(pid)))
      this.cancelTidy = this.context.clock.after(TIDY_SECONDS, () => {
        this.tidy();
      });
  }
}
