/**
 * The migrations of this node's processes: one at a time for each process, every outcome kept with its reason. What decides and what
 * carries out come in as parameters.
 */
import { type Conduct, type MoveDone, type MoveEvent, type MoveFailed, type MoveOrder, isAlive } from '../engine/index.js';
import { type MigrationDocument, nothingMoved } from '../shared/documents.js';
import { MosrunError, asMosrunError, errorFrom } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { noteComeHome } from './come-home.js';
import type { SessionGrant } from './grants.js';
import { type Identity, identityOf } from './identity.js';
import type { MigrationPorts } from './migration-ports.js';
import { type MigrationEvent, type MigrationState, nextState } from './migration-state.js';
import type { MoverRecord } from './mover-records.js';
import { settled } from './settled.js';

interface Move {
  state: MigrationState;
  to: string;
  phases: MigrationDocument['phases'];
}

interface Way {
  pid: number;
  from: string;
  to: string;
  conduct: Conduct;
  /** By the ports' clock. */
  deadline: number;
  reason: string;
  /** Nobody has ordered it. */
  automatic: boolean;
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

const foundAtWork = { out: 'found-leaving', on: 'found-moving', home: 'found-returning' } as const;

/** Thrown in place of the failure where another try follows. */
class TryAgain extends Error {}

export class Migrations {
  private readonly moves = new Map<number, Move>();
  private readonly cleanings = new Map<number, Promise<boolean>>();

  constructor(private readonly ports: MigrationPorts) {}

  isMoving(pid: number): boolean {
    return this.moves.has(pid);
  }

  /** Where it is being moved to; null: it is not. */
  headedFor(pid: number): string | null {
    return this.moves.get(pid)?.to ?? null;
  }

  whereIs(pid: number): string {
    return this.ports.finder.find(pid).node ?? this.ports.self;
  }

  /** Takes up the movers of an earlier life. */
  restore(): void {
    for (const record of this.ports.records.all()) {
      record.mover_pid ??= this.ports.engine.findMover(record.pid);
      const move = this.begin(record.pid, record.to);
      this.step(record.pid, move, foundAtWork[record.kind]);
      void this.follow(move, record).catch(() => {});
    }
  }

  /** Moves a process and settles when it is there; rejects with the reason when it stays where it was. */
  async order(pid: number, to: string, conduct: Conduct, reason: string, automatic = false): Promise<MigrationDocument> {
    const deadline = this.ports.clock.seconds() + this.ports.settings().timeoutSeconds;
    const from = this.whereIs(pid);
    const document = { version: DOCUMENT_VERSION as 1, pid, from, to };
    const move = this.begin(pid, to);
    if (from === to) {
      this.moves.delete(pid);
      return { ...document, moved: false, ...nothingMoved };
    }
    this.ports.onStart(pid, from, to, reason);
    let done: MoveDone;
    try {
      await this.awaitCleaning(pid, deadline);
      const way: Way = { pid, from, to, conduct, deadline, reason, automatic };
      this.checkGoesOn(way);
      done = await this.patiently(deadline, (again) => {
        if (to === this.ports.self) return this.bringHome(move, way, { again });
        if (from !== this.ports.self) return this.sendOn(move, way, { again });
        noteComeHome(this.ports, pid);
        return this.sendOut(move, way, { again });
      });
    } finally {
      this.moves.delete(pid);
    }
    const { freeze_seconds, total_seconds, bytes, pages, saved = 0, threads, rounds = 0, stood = null, dirty_rate = 0 } = done;
    const how = { live: rounds > 0, stood, dirty_bytes_per_second: dirty_rate || null, phases: move.phases };
    return { ...document, moved: true, freeze_seconds, total_seconds, bytes, saved_bytes: saved, pages, threads, ...how };
  }

  /**
   * Sends a launcher's program away at its first instruction.
   * @param command the program's command line, which the launcher does not show yet.
   */
  startAway(launcherPid: number, to: string, conduct: Conduct, command: string): StartAway {
    const deadline = this.ports.clock.seconds() + this.ports.settings().timeoutSeconds;
    let isArmed = (): void => {};
    let refused = (_error: Error): void => {};
    const armed = new Promise<void>((resolve, reject) => {
      isArmed = resolve;
      refused = reject;
    });
    const run = async (): Promise<void> => {
      const move = this.begin(launcherPid, to);
      this.ports.onStart(launcherPid, this.ports.self, to, 'start');
      try {
        await this.awaitCleaning(launcherPid, deadline);
        const at = { pid: launcherPid, from: this.ports.self, to };
        const way: Way = { ...at, conduct, deadline, reason: 'start', automatic: false };
        await this.sendOut(move, way, { isArmed, command });
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

  /** One that is stopped while away would be waited for in vain: its threads do not reach the place from where they can be taken. */
  private checkGoesOn({ pid, from, to, reason }: Way): void {
    // At home the mover sees it, and says so.
    if (from === this.ports.self || !this.ports.isStopped(pid)) return;
    const error = new MosrunError(
      'cannot-move',
      `process ${pid} cannot move: it is stopped: let it go on first (fg, or kill -CONT)`,
    );
    this.remember(pid, from, to, reason, { event: 'failed', ...error.toDocument() });
    throw error;
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

  private begin(pid: number, to: string): Move {
    const present = this.moves.get(pid);
    if (present) {
      throw new MosrunError(
        'busy',
        `process ${pid} is being moved already${present.state === 'returning' ? ' (home)' : ''}: wait until that is over`,
      );
    }
    const move: Move = { state: 'idle', to, phases: [] };
    this.moves.set(pid, move);
    return move;
  }

  private step(pid: number, move: Move, event: MigrationEvent): void {
    const before = move.state;
    move.state = nextState(before, event);
    this.ports.log('migration', { pid, event, before, state: move.state });
  }

  private async sendOut(move: Move, way: Way, hooks: MoveHooks & { command?: string }): Promise<MoveDone> {
    const { askSession, history, onLeaving } = this.ports;
    const { pid, to, conduct, deadline } = way;
    history.rememberCommand(pid, hooks.command);
    onLeaving(pid);
    this.step(pid, move, 'ordered-out');
    const grant = await this.asked(move, way, () => askSession(to, pid, way.automatic));
    this.step(pid, move, 'admitted');
    const atExec = hooks.isArmed !== undefined;
    const order: MoveOrder = {
      kind: 'out',
      pid,
      node: to,
      ...grant,
      atExec,
      ...conduct,
      compress: this.ports.settings().compress,
      keep: this.ports.settings().keep,
      timeoutSeconds: this.left(deadline),
    };
    return this.carriedTo(move, order, way, hooks);
  }

  private async sendOn(move: Move, way: Way, hooks: MoveHooks): Promise<MoveDone> {
    const { pid, from, to, conduct, deadline } = way;
    const { session } = this.ports.finder.find(pid);
    this.step(pid, move, 'ordered-on');
    const grant = await this.asked(move, way, () => {
      if (session === null) throw new MosrunError('busy', `process ${pid} has just come home: order it again`);
      return this.ports.askOnward(from, session, to, pid, way.automatic);
    });
    this.step(pid, move, 'linked');
    const order: MoveOrder = { kind: 'on', pid, node: to, ...grant, clock: conduct.clock, timeoutSeconds: this.left(deadline) };
    return this.carriedTo(move, order, way, hooks);
  }

  /** What the destination grants; a refusal is remembered. */
  private async asked<Grant>(move: Move, { pid, from, to, reason }: Way, ask: () => Promise<Grant>): Promise<Grant> {
    try {
      return await ask();
    } catch (thrown) {
      const error = asMosrunError(thrown);
      this.step(pid, move, 'refused');
      this.remember(pid, from, to, reason, { event: 'failed', ...error.toDocument() });
      throw error;
    }
  }

  /** The node would wait for half a minute for what does not come. One that was reached all the same keeps its guest. */
  private async carriedTo(
    move: Move,
    order: MoveOrder & Pick<SessionGrant, 'session'>,
    way: Way,
    hooks: MoveHooks,
  ): Promise<MoveDone> {
    try {
      return await this.carryOut(move, order, way.from, way.to, way.reason, hooks);
    } catch (error) {
      if (this.whereIs(way.pid) !== way.to) this.ports.dropSession(way.to, order.session);
      throw error;
    }
  }

  private bringHome(move: Move, { pid, from, to, deadline, reason }: Way, hooks: MoveHooks): Promise<MoveDone> {
    this.step(pid, move, 'ordered-home');
    const order: MoveOrder = { kind: 'home', pid, reason, timeoutSeconds: this.left(deadline) };
    return this.carryOut(move, order, from, to, reason, hooks);
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
    // It is given its time from the last that was heard of it: to copy the memory may take minutes, and harms nobody.
    const watch = (): (() => void) =>
      clock.after(bound, () => {
        if (moverPid === null || !isAlive(moverPid)) return;
        killed = true;
        kill(moverPid);
      });
    let cancel = watch();
    const onEvent = (event: MoveEvent): void => {
      if (event.event === 'armed') isArmed?.();
      if (event.event !== 'phase') return;
      move.phases.push({ phase: event.phase, seconds: event.at });
      cancel();
      cancel = watch();
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
        dirty_bytes_per_second: done?.dirty_rate || null,
      },
      done ? 1 : 0,
    );
  }
}
