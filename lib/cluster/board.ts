/**
 * The bulletin board: what one node knows of all others, and what of it it tells whom. Every step a node renews its own entry and sends its youngest
 * entries, a window of them, to one node chosen at random; so every node knows every other with an age that can be computed beforehand.
 *
 * Amar, Barak, Drezner, Okun: "Randomized gossip algorithms for maintaining a distributed bulletin board with guaranteed age properties",
 * Concurrency and Computation: Practice and Experience 21 (2009).
 */
import type { Clock } from '../shared/clock.js';

/** One entry as it travels. Times travel as ages, so that no two clocks need agree. */
export interface News<Facts> {
  node: string;
  ageSeconds: number;
  /** What it has said of itself; null: nothing is known but its end. */
  facts: Facts | null;
  /** Why it is gone; null: it is there. */
  gone: string | null;
}

export interface BoardOptions {
  self: string;
  clock: Clock;
  /** 0 ≤ x < 1. */
  random: () => number;
  /** Entries in a message, this node's own included. */
  window: number;
  stepSeconds: number;
  /** Does a node belong to the own cluster? Those are talked to more often. */
  isNear?: (node: string) => boolean;
}

/** In how many steps the target is chosen among the near ones alone, if there are any. */
const NEAR_SHARE = 0.5;
/** Steps for each node of the board after which an entry that has not been renewed is no longer believed. */
const OLDEST_STEPS_PER_NODE = 4;
/** In a small cluster a few lost messages are not yet silence. */
const OLDEST_STEPS_AT_LEAST = 40;

/** Entries looked at at random before all are. */
const TRIES = 16;

interface Entry<Facts> {
  node: string;
  facts: Facts | null;
  gone: string | null;
  /** By this node's clock; -Infinity: nothing has been heard yet. */
  born: number;
  /** How often it is still to be sent before others: bad news outruns ordinary news. */
  urgency: number;
}

export type Known<Facts> = Readonly<Omit<Entry<Facts>, 'born' | 'urgency'>> & { ageSeconds: number };

export class Board<Facts> {
  private readonly entries: Entry<Facts>[] = [];
  private readonly byName = new Map<string, Entry<Facts>>();

  constructor(private readonly options: BoardOptions) {
    this.meet(options.self);
  }

  /** There is a node of that name: it may be knocked at, and news of it is believed. */
  meet(node: string): void {
    if (this.byName.has(node)) return;
    const entry: Entry<Facts> = { node, facts: null, gone: null, born: Number.NEGATIVE_INFINITY, urgency: 0 };
    this.entries.push(entry);
    this.byName.set(node, entry);
  }

  /** There is no such node any more. */
  forget(node: string): void {
    const entry = this.byName.get(node);
    if (!entry || node === this.options.self) return;
    this.byName.delete(node);
    this.entries.splice(this.entries.indexOf(entry), 1);
  }

  /** This node's own entry: at every step. */
  refresh(facts: Facts): void {
    this.put(this.options.self, { facts, gone: null, born: this.options.clock.seconds() });
  }

  /** A node does not answer, or has said goodbye. Not for others to contradict with older news. */
  lose(node: string, why: string): void {
    const entry = this.byName.get(node);
    if (!entry || node === this.options.self || entry.gone !== null) return;
    this.put(node, { facts: entry.facts, gone: why, born: this.options.clock.seconds() });
  }

  /** @returns the nodes that have come or gone by it. */
  hear(news: readonly News<Facts>[]): string[] {
    const now = this.options.clock.seconds();
    const changed: string[] = [];
    for (const { node, ageSeconds, facts, gone } of news) {
      const entry = this.byName.get(node);
      // Nobody knows better of this node than it does itself.
      if (!entry || node === this.options.self || !(ageSeconds >= 0 && ageSeconds <= this.oldestSeconds)) continue;
      const born = now - ageSeconds;
      // Of news of one age the worse is believed.
      if (born < entry.born || (born === entry.born && gone === null)) continue;
      const before = this.isHere(entry, now);
      this.put(node, { facts: facts ?? entry.facts, gone, born });
      if (before !== (gone === null)) changed.push(node);
    }
    return changed;
  }

  /**
   * How long to wait until the next step: a step on average, at random (Erlang, of shape 2). Nodes that keep in step, or all at one pace, have ages
   * that the formulas do not tell.
   */
  pauseSeconds(): number {
    const { random, stepSeconds } = this.options;
    return (-Math.log((1 - random()) * (1 - random())) / 2) * stepSeconds;
  }

  /** What to send now: the own entry, then what is urgent, then the youngest. */
  message(): News<Facts>[] {
    const { self, window, clock } = this.options;
    const now = clock.seconds();
    const own = this.byName.get(self) as Entry<Facts>;
    const comesBefore = (one: Entry<Facts>, other: Entry<Facts>): boolean =>
      one.urgency > other.urgency || (one.urgency === other.urgency && one.born > other.born);
    // Few of many: each is put in its place among the best so far.
    const best: Entry<Facts>[] = [];
    for (const entry of this.entries) {
      if (entry === own || entry.born === Number.NEGATIVE_INFINITY) continue;
      const last = best[window - 2];
      if (window < 2 || (last && !comesBefore(entry, last))) continue;
      let at = Math.min(best.length, window - 2);
      for (; at > 0 && comesBefore(entry, best[at - 1] as Entry<Facts>); at--) best[at] = best[at - 1] as Entry<Facts>;
      best[at] = entry;
    }
    for (const entry of best) if (entry.urgency > 0) entry.urgency--;
    return (own.born === Number.NEGATIVE_INFINITY ? best : [own, ...best]).map(({ node, facts, gone, born }) => ({
      node,
      ageSeconds: Math.max(0, now - born),
      facts,
      gone,
    }));
  }

  /** Whom to tell in this step; null: there is nobody else. */
  target(): string | null {
    const { self, random, isNear = () => true, clock } = this.options;
    const now = clock.seconds();
    const isMissing = (entry: Entry<Facts>): boolean => entry.node !== self && !this.isHere(entry, now);
    const isOther = (entry: Entry<Facts>): boolean => entry.node !== self && this.isHere(entry, now);
    const isNearby = (entry: Entry<Facts>): boolean => isOther(entry) && isNear(entry.node);
    // That one has come back is noticed by knocking at it.
    const knocks = random() < 1 / Math.max(5, this.entries.length - 1) ? this.pick(isMissing) : null;
    if (knocks !== null) return knocks;
    return (random() < NEAR_SHARE ? this.pick(isNearby) : null) ?? this.pick(isOther) ?? this.pick(isMissing);
  }

  /** What is known of all, in the order they were met in. An age is Infinity where nothing has been heard. */
  known(): Known<Facts>[] {
    const now = this.options.clock.seconds();
    return this.entries.map((entry) => this.describe(entry, now));
  }

  /** What is known of one, which must have been met. */
  about(node: string): Known<Facts> {
    const entry = this.byName.get(node);
    if (!entry) throw new Error(`there is no node ${node}`);
    return this.describe(entry, this.options.clock.seconds());
  }

  private describe(entry: Entry<Facts>, now: number): Known<Facts> {
    const { node, facts, born } = entry;
    const gone = entry.gone ?? (this.isHere(entry, now) ? null : this.whySilent(entry, now));
    return { node, facts, gone, ageSeconds: now - born };
  }

  /** One of those at random; null: there is none. Most are among the first few that are looked at. */
  private pick(is: (entry: Entry<Facts>) => boolean): string | null {
    const { random } = this.options;
    for (let tries = 0; tries < TRIES; tries++) {
      const entry = this.entries[Math.floor(random() * this.entries.length)] as Entry<Facts>;
      if (is(entry)) return entry.node;
    }
    const all = this.entries.filter(is);
    return all[Math.floor(random() * all.length)]?.node ?? null;
  }

  private get oldestSeconds(): number {
    return Math.max(OLDEST_STEPS_AT_LEAST, OLDEST_STEPS_PER_NODE * this.entries.length) * this.options.stepSeconds;
  }

  private isHere({ gone, born }: Entry<Facts>, now: number): boolean {
    return gone === null && now - born <= this.oldestSeconds;
  }

  private whySilent({ born }: Entry<Facts>, now: number): string {
    return born === Number.NEGATIVE_INFINITY ? 'not heard of yet' : `not heard of for ${Math.round(now - born)} s`;
  }

  private put(node: string, value: Pick<Entry<Facts>, 'facts' | 'gone' | 'born'>): void {
    const entry = this.byName.get(node) as Entry<Facts>;
    // ⌊2 ln N⌋ tellings by each that hears it reach all but a few of N.
    if (value.gone === null) entry.urgency = 0;
    else if (entry.gone === null) entry.urgency = Math.floor(1.386 * Math.log2(this.entries.length));
    Object.assign(entry, value);
  }
}
