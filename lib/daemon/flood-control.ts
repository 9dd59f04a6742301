/** Freezes and thaws this node's processes as the rules of flood control say, one after another. */
import { type Flood, type FloodAction, type FloodProcess, nextAction, whyNotHome } from '../placement/index.js';
import { hasEnded, movableBytes, readFacts } from '../processes/index.js';
import { asMosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import { megabytes } from '../shared/megabytes.js';
import type { Automatic } from './automatic.js';
import type { Context } from './context.js';
import { DEFAULT_CLASS } from './freeze-settings.js';
import type { Freezer } from './freezer.js';
import { Homecomings } from './homecomings.js';
import type { Residents } from './residents.js';
import type { Sessions } from './sessions.js';
import type { ThisNode } from './this-node.js';

export interface FloodPorts {
  node: Pick<ThisNode, 'memoryFreeBytes'>;
  residents: Residents;
  freezer: Freezer;
  automatic: Automatic;
  sessions: Pick<Sessions, 'memoryOf'>;
  isLeaving: () => boolean;
}

/** What could not be done is not tried again at once, and less and less often. */
const LEFT_SECONDS = 5;
const LONGEST_LEFT_SECONDS = 300;
/** At one look, before all is looked at anew. */
const MOST_ACTIONS = 16;

interface Seen {
  startTime: string;
  state: FloodProcess['state'];
  since: number;
  leftUntil: number;
  failures: number;
}

export class FloodControl {
  private readonly seen = new Map<number, Seen>();
  /** On their way home, with what they bring. */
  private readonly coming = new Map<number, number>();
  private readonly homecomings: Homecomings;
  private cancel = (): void => {};
  private stopped = false;

  constructor(
    private readonly context: Context,
    private readonly ports: FloodPorts,
  ) {
    this.homecomings = new Homecomings({
      clock: context.clock,
      tell: (pid, seconds) => context.addon.tellRoom(pid, seconds),
      freeze: (pid, reason) => void this.order(pid, FROZEN, reason),
    });
  }

  start(): void {
    const { clock, configuration, log } = this.context;
    this.cancel = clock.after(configuration().placement.interval_seconds, () => {
      this.step()
        .catch((error: unknown) => {
          log.error({ error: String(error) }, 'nothing was frozen or thawed');
        })
        .finally(() => {
          if (!this.stopped) this.start();
        });
    });
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  /** Where a process that is to come home goes: there, or to the disk of its home, which has no room for it now. */
  async homeward<T>(pid: number, bring: (to: string) => Promise<T>): Promise<T> {
    const { own } = this.context;
    const bytes = await this.ports.sessions.memoryOf(pid, this.ports.residents.whereIs(pid));
    const why = whyNotHome(this.look(), this.classOf(pid), bytes);
    if (why !== null) {
      this.context.log.info({ pid, why }, 'there is no room at home: it is frozen');
      return bring(FROZEN);
    }
    return this.expecting(pid, bytes, () => bring(own.name));
  }

  /** Why a frozen process cannot be thawed here now; null: it can. */
  whyNotThawed(pid: number): string | null {
    const bytes = this.ports.freezer.find(this.ports.residents.whereIs(pid).session)?.memory_bytes ?? 0;
    const spare = this.memoryFreeBytes - this.reserveBytes;
    return bytes <= spare
      ? null
      : `it has ${megabytes(bytes)}, and ${this.context.own.name} ${megabytes(Math.max(0, spare))} to spare`;
  }

  /** Keeps the memory of one that is on its way until it is there, and is seen to be. */
  async expecting<T>(pid: number, bytes: number, move: () => Promise<T>): Promise<T> {
    this.coming.set(pid, bytes);
    try {
      return await move();
    } finally {
      this.coming.delete(pid);
    }
  }

  /** Without what is on its way home. */
  private get memoryFreeBytes(): number {
    return this.ports.node.memoryFreeBytes - [...this.coming.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  private get reserveBytes(): number {
    return this.context.configuration().hosting.reserve_memory;
  }

  private classOf(pid: number): string {
    return this.ports.residents.jobs.jobOf(pid)?.freezing_class ?? DEFAULT_CLASS;
  }

  /** Everything at home and everything frozen, as it is now. */
  private look(): Flood {
    const { clock, configuration } = this.context;
    const { residents, freezer } = this.ports;
    const { classes } = configuration().freezing;
    const usual = classes.get(DEFAULT_CLASS);
    if (!usual) throw new Error(`there is no class ${DEFAULT_CLASS}`);
    const now = clock.seconds();
    const processes: FloodProcess[] = [];
    for (const job of residents.jobs.all()) {
      const name = job.freezing_class ?? DEFAULT_CLASS;
      for (const pid of residents.jobs.processes(job)) {
        const facts = readFacts(pid);
        if (!facts || hasEnded(facts) || facts.state === 'T' || residents.isLaunching(pid) || residents.migrations.isMoving(pid))
          continue;
        const { node, session } = residents.whereIs(pid);
        const record = node === FROZEN ? freezer.find(session) : null;
        if ((node !== null && node !== FROZEN) || record?.held === true) continue;
        const state = node === FROZEN ? 'waiting' : 'running';
        const memoryBytes = node === FROZEN ? (record?.memory_bytes ?? 0) : movableBytes(pid);
        const { since, leftUntil } = this.note(pid, facts.startTime, state, now);
        processes.push({ pid, class: name, state, since, memoryBytes, left: now < leftUntil });
      }
    }
    const there = new Set(processes.map(({ pid }) => pid));
    for (const pid of this.seen.keys()) if (!there.has(pid) && readFacts(pid) === null) this.seen.delete(pid);
    return {
      now,
      classes,
      usual,
      processes,
      memoryFreeBytes: this.memoryFreeBytes,
      reserveBytes: this.reserveBytes,
    };
  }

  private note(pid: number, startTime: string, state: FloodProcess['state'], now: number): Seen {
    const known = this.seen.get(pid);
    if (known?.startTime === startTime && known.state === state) return known;
    const fresh: Seen = { startTime, state, since: now, leftUntil: 0, failures: 0 };
    this.seen.set(pid, fresh);
    return fresh;
  }

  private async step(): Promise<void> {
    const { residents, freezer } = this.ports;
    // Most nodes have nothing of their own to look after.
    if (residents.jobs.all().length === 0 || this.ports.isLeaving()) return;
    await freezer.refresh();
    if (this.isCalm()) return;
    this.lookAway();
    // Before anybody takes turns: who leaves waits no more.
    await this.sendElsewhere();
    for (let done = 0; done < MOST_ACTIONS && !this.stopped; done++) {
      const action = nextAction(this.look());
      if (!action) break;
      await this.carryOut(action);
    }
  }

  /** Nothing is frozen, nobody has set a mark, and there is memory for all: each process need not be looked at. */
  private isCalm(): boolean {
    const { freezer, automatic } = this.ports;
    const rules = [...this.context.configuration().freezing.classes.values()];
    const spare = this.memoryFreeBytes - this.reserveBytes;
    const isCalm =
      freezer.isEmpty &&
      spare >= 0 &&
      automatic.balancer.largestBytes <= spare &&
      rules.every(({ red, maximum }) => red === 0 && maximum === 0);
    if (isCalm) this.homecomings.keep(new Set());
    return isCalm;
  }

  /** Each of those that are away may have to come home at any moment, and finds no room there if it is not told. */
  private lookAway(): void {
    const { residents, automatic } = this.ports;
    const spare = this.memoryFreeBytes - this.reserveBytes;
    const away = new Set<number>();
    for (const job of residents.jobs.all()) {
      for (const pid of residents.jobs.processes(job)) {
        const { node, inspection } = residents.whereIs(pid);
        if (node === null || node === FROZEN || residents.migrations.isMoving(pid)) continue;
        away.add(pid);
        this.homecomings.look(pid, inspection, (automatic.balancer.need(pid)?.memoryBytes ?? 0) > spare);
      }
    }
    this.homecomings.keep(away);
  }

  private async carryOut({ what, pid, reason }: FloodAction): Promise<boolean> {
    const { own } = this.context;
    const session = this.ports.residents.whereIs(pid).session;
    const bytes = this.ports.freezer.find(session)?.memory_bytes ?? 0;
    const order = (to: string): Promise<boolean> => this.order(pid, to, reason);
    return what === 'freeze' ? order(FROZEN) : this.expecting(pid, bytes, () => order(own.name));
  }

  private async order(pid: number, to: string, reason: string): Promise<boolean> {
    const { residents } = this.ports;
    const { clock, log } = this.context;
    const job = residents.jobs.jobOf(pid);
    const entry = this.seen.get(pid);
    if (!job) return false;
    try {
      await residents.migrations.order(pid, to, job, reason, true);
      return true;
    } catch (error) {
      log.info({ pid, to, reason, error: asMosrunError(error).message }, 'not frozen or thawed');
      if (entry) entry.leftUntil = clock.seconds() + Math.min(LONGEST_LEFT_SECONDS, LEFT_SECONDS * 2 ** entry.failures++);
      return false;
    }
  }

  /** One that waits for room at home goes where there is some. */
  private async sendElsewhere(): Promise<void> {
    for (const { pid, state, left } of this.look().processes) {
      if (state !== 'waiting' || left || this.stopped) continue;
      const node = this.ports.automatic.elsewhere(pid, FROZEN);
      if (node !== null) await this.order(pid, node, `there is room on ${node}`);
    }
  }
}
