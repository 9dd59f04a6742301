/** The processes that live on this node, and what is kept about them. */
import { processEngine } from '../engine/index.js';
import {
  type AskSession,
  type DropSession,
  AwayFiles,
  CgroupTree,
  Finder,
  HistoryBook,
  JobBook,
  Migrations,
  MoverRecords,
  Cleaner,
  Stops,
  readFacts,
  ProcessTable,
} from '../processes/index.js';
import { type Context, addressesIn } from './context.js';

/** A mover that has outlived its bound by so much hangs. */
const MOVER_GRACE_SECONDS = 5;

export class Residents {
  readonly history: HistoryBook;
  readonly jobs: JobBook;
  readonly migrations: Migrations;
  readonly table: ProcessTable;
  readonly engine: ReturnType<typeof processEngine>;
  readonly hasCgroups: boolean;
  private readonly away: AwayFiles;
  private readonly finder: Finder;
  private readonly cleaner: Cleaner;

  constructor(context: Context, sessions: { askSession: AskSession; dropSession: DropSession }) {
    const { addon, clock, configuration, log, own, runtime } = context;
    this.engine = processEngine(context.libexec, runtime('processes'));
    this.away = new AwayFiles(runtime('processes'));
    this.history = new HistoryBook(runtime('history'));
    this.finder = new Finder({
      away: this.away,
      inspect: (pid) => addon.inspect(pid),
      nodeAt: (address, port) =>
        addressesIn(configuration()).find((one) => one.address === address && one.dataPort === port)?.name ?? null,
    });
    const tree = CgroupTree.find(configuration().cgroup);
    this.hasCgroups = tree !== null;
    this.jobs = new JobBook(runtime('jobs'), tree, clock, () => {
      this.tidy();
    });
    this.migrations = new Migrations({
      self: own.name,
      engine: this.engine,
      finder: this.finder,
      history: this.history,
      clock,
      ...sessions,
      records: new MoverRecords(runtime('movers')),
      settings: () => ({ timeoutSeconds: configuration().migration.timeout_seconds, graceSeconds: MOVER_GRACE_SECONDS }),
      kill: (pid) => {
        process.kill(pid, 'SIGKILL');
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
      isStopped: (pid) => readFacts(pid)?.state === 'T',
      tell: (pid, stopped) => addon.tellStopped(pid, stopped),
    });
    this.cleaner = new Cleaner({
      clock,
      jobs,
      onLook: (pid, inspection) => {
        stops.look(pid, inspection);
      },
      inspect: (pid) => addon.inspect(pid),
      isMoving: (pid) => migrations.isMoving(pid),
      clean: (pid) => migrations.clean(pid),
      tidy: () => {
        stops.keep((pid) => readFacts(pid) !== null);
        this.tidy();
      },
    });
    this.table = new ProcessTable({ self: own.name, jobs, finder, history, migrations });
  }

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
  }

  /** Takes away the files of processes that have ended or are at home again. */
  tidy(): void {
    this.away.sweep((pid) => this.migrations.isMoving(pid) || this.finder.find(pid).node !== null);
    this.history.sweep();
  }
}
