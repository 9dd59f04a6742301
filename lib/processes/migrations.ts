/**
 * The migrations of this node's processes: one at a time for each process, every outcome kept with its reason. What decides and what
 * carries out come in as parameters.
 */
import { type Engine, type MoveDone, type MoveEvent, type MoveFailed, type MoveOrder, isAlive } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { MigrationDocument } from '../shared/documents.js';
import { MosrunError, asMosrunError, errorFrom } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import type { HistoryBook } from './history.js';
import { type Identity, identityOf } from './identity.js';
import type { Finder } from './whereabouts.js';
import { type MigrationEvent, type MigrationState, nextState } from './migration-state.js';
import type { MoverRecord, MoverRecords } from './mover-records.js';

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
  log: (message: string, facts: Record<string, unknown>) => void;
}

interface Move {
  state: MigrationState;
  phase: string | null;
}

export interface StartAway {
  /** Settles when the launcher may exec: the mover holds it. Rejects when the node refused. */
  armed: Promise<void>;
  /** Settles when the move is over, done or failed. */
  over: Promise<void>;
}

const nothingMoved = { freeze_seconds: 0, total_seconds: 0, bytes: 0, pages: 0, threads: 0 };

export class Migrations {
  private readonly moves = new Map<number, Move>();

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
      if (from !== this.ports.self) done.push(await this.bringHome(pid, move, from, deadline, reason));
      if (to !== this.ports.self) done.push(await this.sendOut(pid, move, to, clock, deadline, reason));
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
    start?: { isArmed: () => void; command: string },
  ): Promise<MoveDone> {
    const { self, askSession, history } = this.ports;
    history.rememberCommand(pid, start?.command);
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
      atExec: start !== undefined,
      clock,
      timeoutSeconds: this.left(deadline),
    };
    try {
      return await this.carryOut(move, order, self, to, reason, start?.isArmed);
    } catch (error) {
      // The node would wait for half a minute. One that was reached all the same keeps its guest.
      if (this.whereIs(pid) === self) this.ports.dropSession(to, grant.session);
      throw error;
    }
  }

  private bringHome(pid: number, move: Move, from: string, deadline: number, reason: string): Promise<MoveDone> {
    this.step(pid, move, 'ordered-home');
    return this.carryOut(move, { kind: 'home', pid, reason, timeoutSeconds: this.left(deadline) }, from, this.ports.self, reason);
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
    onArmed?: () => void,
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
    return this.follow(move, record, order.timeoutSeconds, onArmed);
  }

  private async follow(move: Move, record: MoverRecord, timeoutSeconds?: number, onArmed?: () => void): Promise<MoveDone> {
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
      if (event.event === 'armed') onArmed?.();
    };
    // A mover that is nowhere has ended, or was never started: what it wrote, if anything, says which.
    let result = await engine.followMover(moverPid ?? -1, records.output(pid), onEvent);
    if (killed && result.event === 'failed') {
      const message = `moving process ${pid} from ${record.from} to ${record.to} took longer than ${bound.toFixed(0)} s and was given up: see mosps`;
      result = { event: 'failed', code: 'timeout', message };
    }
    cancel();
    records.remove(pid);
    this.step(pid, move, result.event === 'done' ? 'moved' : 'failed');
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
