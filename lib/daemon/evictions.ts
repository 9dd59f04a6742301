/** Has guests leave for better processes: their homes are told, and take them elsewhere or home. */
import { type Shortage, type Visitor, makeRoom, outranked } from '../placement/index.js';
import type { Clock } from '../shared/clock.js';
import { asMosrunError } from '../shared/errors.js';
import type { RecallResult } from '../shared/wire.js';

export interface Guest extends Visitor {
  home: string;
}

export interface EvictionPorts {
  clock: Clock;
  guests: () => Promise<Guest[]>;
  /** All that are here are as good as any: none of them ever leaves for another. */
  areOwn: () => boolean;
  /** The best priority of what runs here and is no guest; null: nothing does. */
  ownBest: () => number | null;
  /** Do worse guests leave as soon as a better process is here? Otherwise only when it needs their room. */
  always: () => boolean;
  recall: (home: string, sessions: readonly string[], reason: string) => Promise<RecallResult[]>;
  tell: (session: string, reason: string) => void;
  log: (message: string, facts: Record<string, unknown>) => void;
}

const LOOK_SECONDS = 0.5;
/** One whose home does not take it is told again, later each time. */
const AGAIN_SECONDS = 0.5;
const LONGEST_AGAIN_SECONDS = 60;
/** A home is told of so many at once. */
const TOLD_AT_ONCE = 16;

interface Leaving {
  /** Its home is at it. */
  isUnderWay: boolean;
  failures: number;
  next: number;
}

export class Evictions {
  private readonly leaving = new Map<string, Leaving>();
  private looking: Promise<void> | null = null;
  private cancel = (): void => {};

  constructor(private readonly ports: EvictionPorts) {}

  start(): void {
    this.cancel = this.ports.clock.after(LOOK_SECONDS, () => {
      void this.look().finally(() => {
        this.start();
      });
    });
  }

  stop(): void {
    this.cancel();
    this.cancel = () => {};
  }

  /** Has its home been told to take it away, and is at it? */
  isLeaving(session: string): boolean {
    return this.leaving.get(session)?.isUnderWay === true;
  }

  /** Whoever is worse than the best that is here leaves, if that is how this node does it. */
  async look(): Promise<void> {
    this.looking ??= this.lookOnce().finally(() => {
      this.looking = null;
    });
    await this.looking;
  }

  private async lookOnce(): Promise<void> {
    const { guests, ownBest, always, areOwn } = this.ports;
    if (this.leaving.size === 0 && areOwn()) return;
    const present = await guests();
    const sessions = new Set(present.map(({ session }) => session));
    for (const session of this.leaving.keys()) if (!sessions.has(session)) this.leaving.delete(session);
    const worst = Math.max(0, ...present.map(({ priority }) => priority));
    // Mostly all are of the own cluster, and nothing need be found out.
    if (worst === 0 || !always()) return;
    const best = Math.min(ownBest() ?? Number.POSITIVE_INFINITY, ...present.map(({ priority }) => priority));
    this.send(
      outranked(present, best) as Guest[],
      (priority) => `better processes are here, of priority ${best} before ${priority}`,
    );
  }

  /** Begins to make room for one of that priority; false: all that are worse would not be enough. */
  async makeRoomFor(priority: number, who: string, shortage: Shortage): Promise<boolean> {
    const present = await this.ports.guests();
    const going = present.filter(({ session }) => this.isLeaving(session));
    const staying = present.filter(({ session }) => !this.isLeaving(session));
    const sum = going.reduce((bytes, { memoryBytes }) => bytes + memoryBytes, 0);
    // Whoever leaves already is not counted among the guests, but has its memory still.
    const missing = { ...shortage, memoryBytes: shortage.memoryBytes - sum };
    if (missing.guests <= 0 && missing.abroad <= 0 && missing.memoryBytes <= 0) return true;
    const chosen = makeRoom(staying, priority, missing) as Guest[];
    this.send(chosen, (worse) => `${who} needs the room, of priority ${priority} before ${worse}`);
    return chosen.length > 0;
  }

  private send(chosen: readonly Guest[], reasonFor: (priority: number) => string): void {
    const now = this.ports.clock.seconds();
    const due = chosen.filter(({ session }) => {
      const known = this.leaving.get(session);
      return !known || (!known.isUnderWay && known.next <= now);
    });
    const homes = new Map<string, Guest[]>();
    for (const guest of due)
      homes.set(`${guest.home} ${guest.priority}`, [...(homes.get(`${guest.home} ${guest.priority}`) ?? []), guest]);
    for (const some of homes.values())
      for (let at = 0; at < some.length; at += TOLD_AT_ONCE) void this.sendSome(some.slice(at, at + TOLD_AT_ONCE), reasonFor);
  }

  private async sendSome(some: readonly Guest[], reasonFor: (priority: number) => string): Promise<void> {
    const { clock, recall, tell, log } = this.ports;
    const [first] = some;
    if (!first) return;
    const reason = reasonFor(first.priority);
    const sessions = some.map(({ session }) => session);
    for (const session of sessions) {
      const { failures = 0 } = this.leaving.get(session) ?? {};
      this.leaving.set(session, { isUnderWay: true, failures, next: 0 });
      if (failures === 0) tell(session, reason);
    }
    const messages = await recall(first.home, sessions, reason).then(
      (results) => new Map(results.map(({ session, message }) => [session, message])),
      (error: unknown) => new Map(sessions.map((session) => [session, asMosrunError(error).message])),
    );
    for (const session of sessions) {
      const known = this.leaving.get(session);
      const message = messages.get(session) ?? null;
      // Taken away, it is gone in a moment; should it not be, it is told again.
      const failures = (known?.failures ?? 0) + 1;
      const pause = Math.min(LONGEST_AGAIN_SECONDS, AGAIN_SECONDS * 2 ** (failures - 1));
      this.leaving.set(session, { isUnderWay: message === null, failures, next: clock.seconds() + pause });
      if (message === null) clock.after(pause, () => this.giveUp(session));
      else log('a guest that must leave stays', { session, home: first.home, reason: message, again: pause });
    }
  }

  /** Its home says that it has taken it, and it is here still. */
  private giveUp(session: string): void {
    const known = this.leaving.get(session);
    if (known) this.leaving.set(session, { ...known, isUnderWay: false });
  }
}
