/**
 * What moves many processes at root's word: guests away, own ones home, or both and then the daemon ends. Whoever ordered it may wait and
 * watch; the operation goes on without him.
 */
import { clusterOf } from '../cluster/index.js';
import type { Clock } from '../shared/clock.js';
import type { OperationDocument, OperationFailure, OperationName } from '../shared/documents.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { inTurns } from '../shared/turns.js';
import type { RecallResult } from '../shared/wire.js';
import type { Guests } from './guests.js';
import type { Residents } from './residents.js';

export interface OperationPorts {
  self: string;
  clock: Clock;
  guests: Pick<Guests, 'list'>;
  residents: Pick<Residents, 'table' | 'migrations'>;
  /** From now on there is nothing between this node and other clusters. */
  isolate: () => void;
  /** What a process of this node's has where it is. */
  memoryOf: (pid: number) => Promise<number>;
  /** What of a process, by its number on this node, has gone ahead in the move that is under way. */
  aheadOf: (pid: number) => number;
  /** Lets one of this node's processes come to it, or to its disk where it has no room. */
  homeward: <T>(pid: number, bring: (to: string) => Promise<T>) => Promise<T>;
  /** Has a home bring the processes of these sessions home. */
  recall: (home: string, sessions: readonly string[]) => Promise<RecallResult[]>;
  sayGoodbye: () => Promise<void>;
  /** Ends the daemon. */
  end: () => void;
  /** Whether the node is leaving has changed; told the state before. */
  onLeaving: (before: 'leaving' | 'up') => void;
  log: (message: string, facts: Record<string, unknown>) => void;
}

/** What cannot be moved is tried so often: it may be in the middle of something. */
const ROUNDS = 3;
const PAUSE_SECONDS = 0.3;
/** After its home says that a guest has come home. */
const GONE_WITHIN_SECONDS = 5;
/** Of processes that one home brings home, and of moves at a time. */
const RECALLED_AT_ONCE = 8;
const MOVED_AT_ONCE = 4;
/** For those who wait to see that it is done. */
const LAST_WORD_SECONDS = 1.5;

/** What is left of a part of an operation. */
interface Rest {
  count: number;
  bytes: number;
}
type Progress = (rest: Rest) => void;
/** By the name of a node: of a guest's home, or of where an own process is. */
type Which = (node: string) => boolean;
const isAbroad: Which = (node) => clusterOf(node) !== null;

export class Operations {
  private readonly known = new Map<OperationName, OperationDocument>();
  /** This node takes no part any more. */
  isLeaving = false;

  constructor(private readonly ports: OperationPorts) {}

  /** Why no guest is taken now; null when none of this keeps them off. */
  get closed(): string | null {
    if (this.isLeaving) return 'it is leaving the cluster: choose another node';
    return this.isRunning('expel') ? 'it is sending its guests home: choose another node' : null;
  }

  /** Each kind's last, if this life of the daemon has seen one. */
  list(): OperationDocument[] {
    return [...this.known.values()];
  }

  private isRunning(name: OperationName): boolean {
    return this.known.get(name)?.state === 'running';
  }

  /** Begins it, or joins the one that is under way. */
  start(name: OperationName): OperationDocument {
    const present = this.known.get(name);
    if (present?.state === 'running') return { ...present, joined: true };
    if (this.isRunning('shutdown')) throw new MosrunError('busy', `${this.ports.self} is shutting down: wait until that is over`);
    const operation: OperationDocument = {
      version: DOCUMENT_VERSION,
      operation: name,
      state: 'running',
      joined: false,
      began: this.ports.clock.wallSeconds(),
      seconds: 0,
      total: 0,
      left: 0,
      bytes: 0,
      bytes_left: 0,
      bytes_per_second: null,
      seconds_left: null,
      failures: [],
    };
    this.known.set(name, operation);
    this.ports.log('operation begins', { operation: name });
    void this.run(operation);
    return { ...operation };
  }

  private async run(operation: OperationDocument): Promise<void> {
    const { clock, log } = this.ports;
    const began = clock.seconds();
    try {
      operation.failures = await this.work(operation);
    } catch (error) {
      operation.failures = [{ pid: null, home: null, command: null, message: asMosrunError(error).message }];
    }
    operation.seconds = clock.seconds() - began;
    operation.left = operation.failures.length;
    operation.seconds_left = null;
    operation.state = operation.failures.length === 0 ? 'done' : 'failed';
    log('operation is over', { ...operation });
    if (operation.operation !== 'shutdown') return;
    if (operation.state === 'done') clock.after(LAST_WORD_SECONDS, this.ports.end);
    else this.leave(false);
  }

  private leave(isLeaving: boolean): void {
    this.isLeaving = isLeaving;
    this.ports.onLeaving(isLeaving ? 'up' : 'leaving');
  }

  private async work(operation: OperationDocument): Promise<OperationFailure[]> {
    const began = this.ports.clock.seconds();
    // What is left of each part; there are two when the node shuts down.
    const left = new Map<string, Rest>();
    const progress =
      (part: string): Progress =>
      (rest) => {
        if (!left.has(part)) {
          operation.total += rest.count;
          operation.bytes += rest.bytes;
        }
        left.set(part, rest);
        operation.left = [...left.values()].reduce((sum, { count }) => sum + count, 0);
        operation.bytes_left = Math.min(
          operation.bytes,
          [...left.values()].reduce((sum, { bytes }) => sum + bytes, 0),
        );
        const moved = operation.bytes - operation.bytes_left;
        const rate = moved > 0 ? moved / (this.ports.clock.seconds() - began) : null;
        operation.bytes_per_second = rate;
        operation.seconds_left = rate === null ? null : operation.bytes_left / rate;
      };
    if (operation.operation === 'expel') return this.expel(progress('guests'));
    if (operation.operation === 'bring') return this.bring(progress('own'), 'mosctl bring');
    if (operation.operation === 'isolate') {
      this.ports.isolate();
      const parts = [this.expel(progress('guests'), isAbroad), this.bring(progress('own'), 'mosctl isolate', isAbroad)];
      return (await Promise.all(parts)).flat();
    }
    this.leave(true);
    const failures = (await Promise.all([this.expel(progress('guests')), this.bring(progress('own'), 'mosctl shutdown')])).flat();
    if (failures.length === 0) await this.ports.sayGoodbye();
    return failures;
  }

  private pause(seconds: number): Promise<void> {
    return new Promise((resolve) => void this.ports.clock.after(seconds, resolve));
  }

  /** Those that are here, on their way, or promised a place: from now on nobody else is. */
  private async expected(which: Which) {
    return (await this.ports.guests.list()).filter(({ home }) => which(home ?? ''));
  }

  /** Has all guests brought home by their homes. */
  private async expel(progress: Progress, which: Which = () => true): Promise<OperationFailure[]> {
    for (let round = 1; ; round++) {
      const expected = await this.expected(which);
      const present = expected.filter(({ state }) => state === 'running');
      progress(this.restOf(expected));
      if (expected.length === 0) return [];
      // On their way here, and soon here, or given up by whoever sends them or by mosgate: that is no round.
      if (present.length === 0) {
        await this.pause(PAUSE_SECONDS);
        round--;
        continue;
      }
      const messages = await this.watched(
        progress,
        async () => this.restOf(await this.expected(which)),
        () => this.recallAll(present),
      );
      const left = await this.awaitGone(progress, which, messages);
      if (left.length === 0 || round < ROUNDS) continue;
      return left.map(({ session, home, home_pid: pid, command }) => ({
        pid,
        home,
        command,
        message: messages.get(session) ?? `${home ?? 'its home'} says that it has come home, but it is still here: see its log`,
      }));
    }
  }

  /** What guests have that is still to go. */
  private restOf(guests: readonly { pid: number | null; memory_bytes: number }[]): Rest {
    const rests = guests.map(({ pid, memory_bytes: all }) => Math.max(0, all - (pid === null ? 0 : this.ports.aheadOf(pid))));
    return { count: guests.length, bytes: rests.reduce((sum, bytes) => sum + bytes, 0) };
  }

  /** Movers say what they have done when they have done all: meanwhile it is looked at what is left. */
  private async watched<T>(progress: Progress, rest: () => Promise<Rest>, work: () => Promise<T>): Promise<T> {
    let over = false;
    const watch = async (): Promise<void> => {
      while (!over) {
        await this.pause(PAUSE_SECONDS);
        const present = await rest();
        // Not of the round before.
        if (!over) progress(present);
      }
    };
    const watching = watch();
    try {
      return await work();
    } finally {
      over = true;
      await watching;
    }
  }

  /** Asks each home for its own; gives why sessions stay, where that is known. */
  private async recallAll(present: readonly { session: string; home: string | null }[]): Promise<Map<string, string>> {
    const messages = new Map<string, string>();
    const homes = new Map<string, string[]>();
    for (const { session, home } of present) {
      if (home === null) messages.set(session, 'its home is not known: it ends when that does');
      else homes.set(home, [...(homes.get(home) ?? []), session]);
    }
    const askHome = async (home: string, sessions: readonly string[]): Promise<void> => {
      for (let at = 0; at < sessions.length; at += RECALLED_AT_ONCE) {
        const some = sessions.slice(at, at + RECALLED_AT_ONCE);
        try {
          for (const { session, message } of await this.ports.recall(home, some))
            if (message !== null) messages.set(session, message);
        } catch (error) {
          for (const session of some) messages.set(session, asMosrunError(error).message);
        }
      }
    };
    await Promise.all([...homes].map(([home, sessions]) => askHome(home, sessions)));
    return messages;
  }

  /** Gives those that are still here when there is nothing more to wait for. */
  private async awaitGone(progress: Progress, which: Which, messages: ReadonlyMap<string, string>) {
    const until = this.ports.clock.seconds() + GONE_WITHIN_SECONDS;
    for (;;) {
      const expected = await this.expected(which);
      const left = expected.filter(({ state }) => state === 'running');
      progress(this.restOf(expected));
      if (left.length === 0) return left;
      await this.pause(PAUSE_SECONDS);
      if (left.every(({ session }) => messages.has(session)) || this.ports.clock.seconds() > until) return left;
    }
  }

  /** What is on its way to such nodes can be ordered back when it is there, or has stayed. */
  private async awaitMoved(which: Which): Promise<void> {
    const { table, migrations } = this.ports.residents;
    const isComing = (pid: number): boolean => which(migrations.headedFor(pid) ?? this.ports.self);
    for (const { pid } of table.list()) while (isComing(pid)) await this.pause(PAUSE_SECONDS);
  }

  /** Brings own processes home from such nodes. */
  private async bring(
    progress: Progress,
    order: string,
    which: Which = (where) => where !== this.ports.self,
  ): Promise<OperationFailure[]> {
    const { residents, self } = this.ports;
    for (let round = 1; ; round++) {
      await this.awaitMoved(which);
      const away = residents.table.list().filter((one) => which(one.where));
      const sizes = new Map(
        await inTurns(away, RECALLED_AT_ONCE, async ({ pid }) => [pid, await this.ports.memoryOf(pid)] as const),
      );
      const left = new Set(away.map(({ pid }) => pid));
      const rest = (): Rest => {
        const rests = [...left].map((pid) => Math.max(0, (sizes.get(pid) ?? 0) - this.ports.aheadOf(pid)));
        return { count: left.size, bytes: rests.reduce((sum, bytes) => sum + bytes, 0) };
      };
      progress(rest());
      if (away.length === 0) return [];
      const move = async ({ pid, command, ...conduct }: (typeof away)[number]): Promise<OperationFailure[]> => {
        const message = await this.ports
          .homeward(pid, (to) => residents.migrations.order(pid, to, conduct, `ordered by ${order}`, to !== self))
          .then(
            () => null,
            (error: unknown) => asMosrunError(error).message,
          );
        if (message !== null) return [{ pid, home: self, command, message }];
        left.delete(pid);
        progress(rest());
        return [];
      };
      const failures = await this.watched(
        progress,
        () => Promise.resolve(rest()),
        () => inTurns(away, MOVED_AT_ONCE, move),
      );
      // One that ended meanwhile is not in the next list.
      if (round === ROUNDS)
        return failures.flat().filter(({ pid }) => pid !== null && residents.migrations.whereIs(pid) !== self);
      if (failures.flat().length > 0) await this.pause(PAUSE_SECONDS);
    }
  }
}

interface Recall extends Pick<OperationPorts, 'homeward'> {
  peer: string;
  sessions: readonly string[];
  /** Why they cannot stay there; null: the node is being emptied. */
  reason: string | null;
  elsewhere: (pid: number) => string | null;
}

/**
 * On the home-node: takes the processes of a node's sessions away from there.
 * @param elsewhere names another node for a process; null: it is to come home.
 */
export async function recallHere(
  { table, migrations, sessionAt }: Pick<Residents, 'table' | 'migrations' | 'sessionAt'>,
  self: string,
  { peer, sessions, reason, elsewhere, homeward }: Recall,
): Promise<RecallResult[]> {
  const wanted = new Set(sessions);
  const why = reason === null ? '' : `: ${reason}`;
  const there = table
    .list()
    .map((one) => ({ ...one, session: sessionAt(one.pid, peer) }))
    .filter((one): one is typeof one & { session: string } => one.session !== null && wanted.has(one.session));
  const results = await inTurns(there, MOVED_AT_ONCE, async ({ pid, session, ...conduct }) => {
    const order = (to: string): Promise<string | null> =>
      migrations.order(pid, to, conduct, `sent ${to === self ? 'home' : 'away'} by ${peer}${why}`, to === FROZEN).then(
        () => null,
        (error: unknown) => asMosrunError(error).message,
      );
    const other = elsewhere(pid);
    const message = other === null ? 'nowhere else' : await order(other);
    // It may be on its way elsewhere already, by itself: then it need not come home, and is asked about again.
    if (message === null || sessionAt(pid, peer) !== session) return { session, message: null };
    return { session, message: migrations.isMoving(pid) ? message : await homeward(pid, order) };
  });
  // Of several processes of a session one that stays is what counts.
  return sessions.map((session) => ({
    session,
    message: results.find((one) => one.session === session && one.message !== null)?.message ?? null,
  }));
}
