/**
 * The migrations of this node's processes: one at a time for each process, every outcome kept with its reason. What decides and what
 * carries out come in as parameters.
 */
import { type Engine, type MoveDone, type MoveEvent, type MoveFailed, type MoveOrder, isAlive } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { MigrationDocument } from '../shared/documents.js';
import { MosrunError, asMosrunError, errorFrom } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { noteComeHome } from './come-home.js';
import type { HistoryBook } from './history.js';
import { type Identity, identityOf } from './identity.js';
import type { Finder } from './whereabouts.js';
import { type MigrationEvent, type MigrationState, nextState } from './migration-state.js';
import type { MoverRecord, MoverRecords } from './mover-records.js';
import { settled } from './settled.js';

/** What a destination that agrees gives for the move. */
export interface SessionGrant {
  session: string;
  token: string;
  address: string;
  port: number;
}

/** Asks a node to take a process; throws a MosrunError when it cannot be reached or refuses. */
export type AskSession = (node: string, pid: number) => Promise<SessionGrant>;

/** Tells a node that nobody will come for a session it has opened. */
export type DropSession = (node: string, session: string) => void;

export interface MigrationSettings {
  /** Bound of a whole order. */
  timeoutSeconds: number;
  /** A mover that has outlived its own bound by so much hangs, and is killed: that leaves its process where it was. */
  graceSeconds: number;
}

export interface MigrationPorts {
  self: string;
  engine: Engine;
  askSession: AskSession;
  dropSession: DropSession;
  finder: Finder;
  history: HistoryBook;
  records: MoverRecords;
  clock: Clock;
  settings: () => MigrationSettings;
  kill: (pid: number) => void;
  /** A process is about to be sent away. */
  onLeaving: (pid: number) => void;
  log: (message: string, facts: Record<string, unknown>) => void;
}

interface Move {
  state: MigrationState;
  phase: string | null;
}

interface MoveHooks {
  /** Called when the mover holds the launcher. */
  isArmed?: (() => void) | undefined;
  /** Asked when the mover finds the process busy: true lets the failure be forgotten, for another try follows. */
  again?: (() => boolean) | undefined;
}

export interface StartAway {
  /** Settles when the launcher may exec: the mover holds it. Rejects when the node refused. */
  armed: Promise<void>;
  /** Settles when the move is over, done or failed. */
  over: Promise<void>;
}

/** Once more after so many seconds each, where a mover says that the process was busy: with its threads, or with its last move. */
const PAUSES_SECONDS = [0.05, 0.1, 0.2, 0.4, 0.8];

/** Thrown in place of the failure where another try follows. */
class TryAgain extends Error {}

const nothingMoved = { freeze_seconds: 0, total_seconds: 0, bytes: 0, pages: 0, threads: 0 };

export class Migrations {
  private readonly moves = new Map<number, Move>();
  private readonly cleanings = new Map<number, Promise<boolean>>();

  constructor(private readonly ports: MigrationPorts) {}

  isMoving(pid: number): boolean {
    return this.moves.has(pid);
  }

  whereIs(pid: number): string {
    return this.ports.finder.find(pid).node ?? this.ports.self;
  }

  /** Takes up the movers of an earlier life. */
  restore(): void {
    for (const record of this.ports.records.all()) {
      record.mover_pid ??= this.ports.engine.findMover(record.pid);
      const move = this.begin(record.pid);
      this.step(record.pid, move, record.kind === 'out' ? 'found-leaving' : 'found-returning');
      void this.follow(move, record).catch(() => {});
    }
  }

  /** Moves a process and settles when it is there; rejects with the reason when it stays where it was. */
  async order(pid: number, to: string, clock: 'home' | 'host', reason: string): Promise<MigrationDocument> {
    const deadline = this.ports.clock.seconds() + this.ports.settings().timeoutSeconds;
    const from = this.whereIs(pid);
    const document = { version: DOCUMENT_VERSION as 1, pid, from, to };
    const move = this.begin(pid);
    if (from === to) {
      this.moves.delete(pid);
      return { ...document, moved: false, ...nothingMoved };
    }
    const done: MoveDone[] = [];
    try {
      await this.awaitCleaning(pid, deadline);
      if (from !== this.ports.self) {
        done.push(await this.patiently(deadline, (again) => this.bringHome(pid, move, from, deadline, reason, again)));
      }
      if (to !== this.ports.self) {
        noteComeHome(this.ports, pid);
        done.push(await this.patiently(deadline, (again) => this.sendOut(pid, move, to, clock, deadline, reason, { again })));
      }
    } finally {
      this.moves.delete(pid);
    }
    const sum = (field: 'freeze_seconds' | 'total_seconds' | 'bytes' | 'pages'): number =>
      done.reduce((total, one) => total + (one[field] ?? 0), 0);
    return {
      ...document,
      moved: true,
      freeze_seconds: sum('freeze_seconds'),
      total_seconds: sum('total_seconds'),
      bytes: sum('bytes'),
      pages: sum('pages'),
      threads: done.at(-1)?.threads ?? 0,
    };
  }

  /**
   * Sends a launcher's program away at its first instruction.
   * @param command the program's command line, which the launcher does not show yet.
   */
  startAway(launcherPid: number, to: string, clock: 'home' | 'host', command: string): StartAway {
    const deadline = this.ports.clock.seconds() + this.ports.settings().timeoutSeconds;
    let isArmed = (): void => {};
    let refused = (_error: Error): void => {};
    const armed = new Promise<void>((resolve, reject) => {
      isArmed = resolve;
      refused = reject;
    });
    const run = async (): Promise<void> => {
      const move = this.begin(launcherPid);
      try {
        await this.awaitCleaning(launcherPid, deadline);
        await this.sendOut(launcherPid, move, to, clock, deadline, 'start', { isArmed, command });
      } finally {
        this.moves.delete(launcherPid);
      }
    };
    const over = run().catch((error: unknown) => {
      refused(asMosrunError(error));
    });
    // Whoever starts a program may not look at `armed` before it fails.
    armed.catch(() => {});
    return { armed, over };
  }

  /**
   * Takes the stub out of a process that came home, unless it is being moved. Settles when that is over; false: try again later. Orders that
   * come meanwhile wait for it.
   */
  async clean(pid: number): Promise<boolean> {
    if (this.moves.has(pid) || this.cleanings.has(pid)) return false;
    noteComeHome(this.ports, pid);
    const cleaning = this.ports.engine.clean(pid).finally(() => {
      this.cleanings.delete(pid);
    });
    this.cleanings.set(pid, cleaning);
    return cleaning;
  }

  private async awaitCleaning(pid: number, deadline: number): Promise<void> {
    const cleaning = this.cleanings.get(pid);
    if (!cleaning) return;
    await Promise.race([cleaning, this.pause(this.left(deadline))]);
    if (!this.cleanings.has(pid)) return;
    throw new MosrunError('timeout', `process ${pid} does not settle after it came home: try again`);
  }

  private pause(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.ports.clock.after(seconds, resolve);
    });
  }

  /** Tries again while a mover finds the process busy, up to five times and within the order's time. */
  private async patiently(deadline: number, attempt: (again: () => boolean) => Promise<MoveDone>): Promise<MoveDone> {
    for (let tries = 0; ; tries++) {
      const pause = PAUSES_SECONDS[tries];
      try {
        return await attempt(() => pause !== undefined && this.ports.clock.seconds() + pause < deadline);
      } catch (error) {
        if (!(error instanceof TryAgain) || pause === undefined) throw error;
        await this.pause(pause);
      }
    }
  }

  private begin(pid: number): Move {
    const present = this.moves.get(pid);
    if (present) {
      throw new MosrunError(
        'busy',
        `process ${pid} is being moved already (${present.phase ?? present.state}): wait until that is over`,
      );
    }
    const move: Move = { state: 'idle', phase: null };
    this.moves.set(pid, move);
    return move;
  }

  private step(pid: number, move: Move, event: MigrationEvent): void {
    const before = move.state;
    move.state = nextState(before, event);
    move.phase = null;
    this.ports.log('migration', { pid, event, before, state: move.state });
  }

  private async sendOut(
    pid: number,
    move: Move,
    to: string,
    clock: 'home' | 'host',
    deadline: number,
    reason: string,
    { isArmed, command, again }: { isArmed?: () => void; command?: string; again?: () => boolean },
  ): Promise<MoveDone> {
    const { self, askSession, history, onLeaving } = this.ports;
    history.rememberCommand(pid, command);
    onLeaving(pid);
    this.step(pid, move, 'ordered-out');
    let grant: SessionGrant;
    try {
      grant = await askSession(to, pid);
    } catch (thrown) {
      const error = asMosrunError(thrown);
      this.step(pid, move, 'refused');
      this.remember(pid, self, to, reason, { event: 'failed', ...error.toDocument() });
      throw error;
    }
    this.step(pid, move, 'admitted');
    const order: MoveOrder = {
      kind: 'out',
      pid,
      node: to,
      ...grant,
      atExec: isArmed !== undefined,
      clock,
      timeoutSeconds: this.left(deadline),
    };
    try {
      return await this.carryOut(move, order, self, to, reason, { isArmed, again });
    } catch (error) {
      // The node would wait for half a minute. One that was reached all the same keeps its guest.
      if (this.whereIs(pid) === self) this.ports.dropSession(to, grant.session);
      throw error;
    }
  }

  private bringHome(
    pid: number,
    move: Move,
    from: string,
    deadline: number,
    reason: string,
    again: () => boolean,
  ): Promise<MoveDone> {
    this.step(pid, move, 'ordered-home');
    const order: MoveOrder = { kind: 'home', pid, reason, timeoutSeconds: this.left(deadline) };
    return this.carryOut(move, order, from, this.ports.self, reason, { again });
  }

  /** What is left of the order's time; a mover gets at least a second, since it has work to undo when it fails. */
  private left(deadline: number): number {
    return Math.max(1, deadline - this.ports.clock.seconds());
  }

  private async carryOut(
    move: Move,
    order: MoveOrder,
    from: string,
    to: string,
    reason: string,
    hooks: MoveHooks,
  ): Promise<MoveDone> {
    const { engine, records, clock } = this.ports;
    const present: Identity | null = identityOf(order.pid);
    if (!present) {
      this.step(order.pid, move, 'failed');
      throw new MosrunError('not-found', `process ${order.pid} has ended: nothing to move`);
    }
    const record: MoverRecord = {
      version: 1,
      ...present,
      mover_pid: null,
      kind: order.kind,
      from,
      to,
      reason,
      began: clock.wallSeconds(),
    };
    records.write(record);
    try {
      record.mover_pid = await engine.startMover(order, records.output(order.pid));
    } catch (error) {
      records.remove(order.pid);
      this.step(order.pid, move, 'failed');
      throw new MosrunError('failed', `cannot start the mover (${asMosrunError(error).message}): install mosrun again`, {
        cause: error,
      });
    }
    records.write(record);
    return this.follow(move, record, { timeoutSeconds: order.timeoutSeconds, ...hooks });
  }

  private async follow(move: Move, record: MoverRecord, hooks: MoveHooks & { timeoutSeconds?: number } = {}): Promise<MoveDone> {
    const { timeoutSeconds, isArmed, again } = hooks;
    const { engine, records, clock, settings, kill } = this.ports;
    const { pid, mover_pid: moverPid } = record;
    const bound = (timeoutSeconds ?? settings().timeoutSeconds) + settings().graceSeconds;
    let killed = false;
    const cancel = clock.after(bound, () => {
      if (moverPid === null || !isAlive(moverPid)) return;
      killed = true;
      kill(moverPid);
    });
    const onEvent = (event: MoveEvent): void => {
      if (event.event === 'phase') move.phase = event.phase;
      if (event.event === 'armed') isArmed?.();
    };
    // A mover that is nowhere has ended, or was never started: what it wrote, if anything, says which.
    let result = await engine.followMover(moverPid ?? -1, records.output(pid), onEvent);
    // One that died without a word may have done all that its move needed: the two halves of the process settle it between them.
    if (result.event === 'failed' && (killed || result.code === 'failed')) result = await settled(this.ports, record, result);
    if (killed && result.event === 'failed') {
      const message = `moving process ${pid} from ${record.from} to ${record.to} took longer than ${bound.toFixed(0)} s and was given up: see mosps`;
      result = { event: 'failed', code: 'timeout', message };
    }
    cancel();
    records.remove(pid);
    this.step(pid, move, result.event === 'done' ? 'moved' : 'failed');
    if (result.event === 'failed' && result.code === 'busy' && again?.()) {
      this.ports.log('not moved yet', { pid, message: result.message });
      throw new TryAgain(result.message);
    }
    this.remember(pid, record.from, record.to, record.reason, result);
    if (timeoutSeconds === undefined) this.moves.delete(pid);
    if (result.event === 'failed') throw errorFrom(result.code, result.message);
    return result;
  }

  private remember(pid: number, from: string, to: string, reason: string, result: MoveDone | MoveFailed): void {
    const { history, clock, log } = this.ports;
    const done = result.event === 'done' ? result : null;
    const failed = result.event === 'failed' ? result : null;
    log(done ? 'moved' : 'not moved', { ...result, pid, from, to, reason });
    history.add(
      pid,
      {
        at: clock.wallSeconds(),
        from,
        to,
        outcome: result.event,
        reason,
        code: failed?.code ?? null,
        message: failed?.message ?? null,
        freeze_seconds: done?.freeze_seconds ?? null,
        total_seconds: done?.total_seconds ?? null,
        bytes: done?.bytes ?? null,
      },
      done ? 1 : 0,
    );
  }
}
