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
  /** Own ones, if they are not shared. */
  names?: Names;
}

/** In how many steps the target is chosen among the near ones alone, if there are any. */
const NEAR_SHARE = 0.5;
/** Steps for each node of the board after which an entry that has not been renewed is no longer believed. */
const OLDEST_STEPS_PER_NODE = 4;
/** In a small cluster a few lost messages are not yet silence. */
const OLDEST_STEPS_AT_LEAST = 40;

/** Entries looked at at random before all are. */
const TRIES = 16;

/** So many of the youngest entries at least are kept in order, that neither a message nor whoever asks for them need look at all. */
const KEPT_IN_ORDER = 128;

/** The names that boards know nodes by. Boards of one process can share them, as those of a simulator do: names are most of what a board takes. */
export class Names {
  private readonly places = new Map<string, number>();
  private readonly names: string[] = [];

  /** Where a name is; it is taken up if it is new. */
  take(name: string): number {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    this.places.set(name, this.names.length);
    return this.names.push(name) - 1;
  }

  placeOf(name: string): number | null {
    return this.places.get(name) ?? null;
  }

  nameAt(place: number): string {
    return this.names[place] as string;
  }
}

export interface Known<Facts> {
  node: string;
  facts: Facts | null;
  gone: string | null;
  /** Infinity: nothing has been heard yet. */
  ageSeconds: number;
}

/** Of places that hold no node of this board. */
const UNMET = Number.NaN;
const UNHEARD = Number.NEGATIVE_INFINITY;

export class Board<Facts> {
  private readonly names: Names;
  private readonly self: number;
  private count = 0;
  // By the places of the names: what is of numbers is kept as numbers, so that ten thousand boards of ten thousand nodes fit into one machine.
  /** By this node's clock. */
  private readonly born: number[] = [];
  private readonly facts: (Facts | null)[] = [];
  private readonly gone = new Map<number, string>();
  /** How often an entry is still to be sent before others: bad news outruns ordinary news. */
  private readonly urgency = new Map<number, number>();
  /** The places of the youngest entries, the youngest first. Ages grow alike, so their order changes only with news. */
  private readonly inOrder: number[] = [];

  constructor(private readonly options: BoardOptions) {
    this.names = options.names ?? new Names();
    this.self = this.names.take(options.self);
    this.meet(options.self);
  }

  /** There is a node of that name: it may be knocked at, and news of it is believed. */
  meet(node: string): void {
    const place = this.names.take(node);
    if (this.isMet(place)) return;
    while (this.born.length <= place) {
      this.born.push(UNMET);
      this.facts.push(null);
    }
    this.born[place] = UNHEARD;
    this.count++;
  }

  /** There is no such node any more. */
  forget(node: string): void {
    const place = this.names.placeOf(node);
    if (place === null || place === this.self || !this.isMet(place)) return;
    this.takeOut(place);
    this.born[place] = UNMET;
    this.facts[place] = null;
    this.gone.delete(place);
    this.urgency.delete(place);
    this.count--;
  }

  /** This node's own entry: at every step. */
  refresh(facts: Facts): void {
    this.put(this.self, facts, null, this.options.clock.seconds());
  }

  /** A node does not answer, or has said goodbye. Not for others to contradict with older news. */
  lose(node: string, why: string): void {
    const place = this.names.placeOf(node);
    if (place === null || place === this.self || !this.isMet(place) || this.gone.has(place)) return;
    this.put(place, this.facts[place] ?? null, why, this.options.clock.seconds());
  }

  /** @returns the nodes that have come or gone by it. */
  hear(news: readonly News<Facts>[]): string[] {
    const now = this.options.clock.seconds();
    const oldest = this.oldestSeconds;
    const changed: string[] = [];
    for (const { node, ageSeconds, facts, gone } of news) {
      const place = this.names.placeOf(node);
      // Nobody knows better of this node than it does itself.
      if (place === null || place === this.self || !this.isMet(place) || !(ageSeconds >= 0 && ageSeconds <= oldest)) continue;
      const born = now - ageSeconds;
      const known = this.born[place] as number;
      // Of news of one age the worse is believed.
      if (born < known || (born === known && gone === null)) continue;
      const before = this.isHere(place, now);
      this.put(place, facts ?? this.facts[place] ?? null, gone, born);
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
    const { window, clock } = this.options;
    const now = clock.seconds();
    const places = this.isHeard(this.self) ? [this.self] : [];
    const most = window - 1 + places.length;
    const urgent = [...this.urgency.keys()].sort(
      (one, other) =>
        (this.urgency.get(other) as number) - (this.urgency.get(one) as number) ||
        (this.born[other] as number) - (this.born[one] as number),
    );
    for (const place of urgent.slice(0, most - places.length)) {
      places.push(place);
      const left = (this.urgency.get(place) as number) - 1;
      if (left > 0) this.urgency.set(place, left);
      else this.urgency.delete(place);
    }
    const taken = new Set(places);
    for (const place of this.youngestPlaces(most + 1)) {
      if (places.length >= most) break;
      if (place !== this.self && !taken.has(place)) places.push(place);
    }
    return places.map((place) => ({
      node: this.names.nameAt(place),
      ageSeconds: Math.max(0, now - (this.born[place] as number)),
      facts: this.facts[place] ?? null,
      gone: this.gone.get(place) ?? null,
    }));
  }

  /** What is known of the nodes of the youngest news, the youngest first, so many at most; neither this node itself nor any that are gone. */
  youngest(count: number): Known<Facts>[] {
    const now = this.options.clock.seconds();
    const isOther = (place: number): boolean => place !== this.self && this.isHere(place, now);
    const inOrder = this.youngestPlaces(count + 1).filter(isOther);
    // After many deaths those kept in order may be mostly of the dead.
    const isEnough = inOrder.length >= Math.min(count, this.count - 1 - this.gone.size);
    const here = isEnough ? inOrder : this.youngestFirst(this.places(isOther));
    return here.slice(0, count).map((place) => this.describe(place, now));
  }

  /** Whom to tell in this step; null: there is nobody else. */
  target(): string | null {
    const { random, isNear = () => true, clock } = this.options;
    const now = clock.seconds();
    const isMissing = (place: number): boolean => this.isMet(place) && place !== this.self && !this.isHere(place, now);
    const isOther = (place: number): boolean => place !== this.self && this.isHere(place, now);
    const isNearby = (place: number): boolean => isOther(place) && isNear(this.names.nameAt(place));
    // That one has come back is noticed by knocking at it.
    const knocks = random() < 1 / Math.max(5, this.count - 1) ? this.pick(isMissing) : null;
    if (knocks !== null) return knocks;
    return (random() < NEAR_SHARE ? this.pick(isNearby) : null) ?? this.pick(isOther) ?? this.pick(isMissing);
  }

  /** What is known of all. An age is Infinity where nothing has been heard. */
  known(): Known<Facts>[] {
    const now = this.options.clock.seconds();
    return this.places(() => true).map((place) => this.describe(place, now));
  }

  /** What is known of one, which must have been met. */
  about(node: string): Known<Facts> {
    const place = this.names.placeOf(node);
    if (place === null || !this.isMet(place)) throw new Error(`there is no node ${node}`);
    return this.describe(place, this.options.clock.seconds());
  }

  private describe(place: number, now: number): Known<Facts> {
    const gone = this.gone.get(place) ?? (this.isHere(place, now) ? null : this.whySilent(place, now));
    return {
      node: this.names.nameAt(place),
      facts: this.facts[place] ?? null,
      gone,
      ageSeconds: now - (this.born[place] as number),
    };
  }

  /** One of those at random; null: there is none. Most are among the first few that are looked at. */
  private pick(is: (place: number) => boolean): string | null {
    const { random } = this.options;
    for (let tries = 0; tries < TRIES; tries++) {
      const place = Math.floor(random() * this.born.length);
      if (is(place)) return this.names.nameAt(place);
    }
    const all = this.places(is);
    const place = all[Math.floor(random() * all.length)];
    return place === undefined ? null : this.names.nameAt(place);
  }

  private places(is: (place: number) => boolean): number[] {
    const found: number[] = [];
    for (let place = 0; place < this.born.length; place++) if (this.isMet(place) && is(place)) found.push(place);
    return found;
  }

  private isMet(place: number): boolean {
    return !Number.isNaN(this.born[place] ?? UNMET);
  }

  private isHeard(place: number): boolean {
    return (this.born[place] ?? UNHEARD) > UNHEARD;
  }

  private get oldestSeconds(): number {
    return Math.max(OLDEST_STEPS_AT_LEAST, OLDEST_STEPS_PER_NODE * this.count) * this.options.stepSeconds;
  }

  private isHere(place: number, now: number): boolean {
    return now - (this.born[place] ?? UNMET) <= this.oldestSeconds && !this.gone.has(place);
  }

  private whySilent(place: number, now: number): string {
    return this.isHeard(place) ? `not heard of for ${Math.round(now - (this.born[place] as number))} s` : 'not heard of yet';
  }

  private put(place: number, facts: Facts | null, gone: string | null, born: number): void {
    this.takeOut(place);
    this.facts[place] = facts;
    if (gone === null) {
      this.gone.delete(place);
      this.urgency.delete(place);
    } else {
      // ⌊2 ln N⌋ tellings by each that hears it reach all but a few of N.
      const tellings = Math.floor(1.386 * Math.log2(this.count));
      if (!this.gone.has(place) && tellings > 0) this.urgency.set(place, tellings);
      this.gone.set(place, gone);
    }
    this.born[place] = born;
    // One older than all of them may be younger than some that are not among them: those are found when they are needed.
    const last = this.inOrder.at(-1);
    if (last === undefined || born <= (this.born[last] as number)) return;
    this.inOrder.splice(this.orderOf(born), 0, place);
    if (this.inOrder.length > this.mostInOrder) this.inOrder.pop();
  }

  /** Before its entry changes. */
  private takeOut(place: number): void {
    const last = this.inOrder.at(-1);
    if (last === undefined || (this.born[place] as number) < (this.born[last] as number)) return;
    const at = this.inOrder.indexOf(place);
    if (at >= 0) this.inOrder.splice(at, 1);
  }

  /** How many are younger. */
  private orderOf(born: number): number {
    let [low, high] = [0, this.inOrder.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.born[this.inOrder[middle] as number] as number) > born) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** At least so many of the youngest entries, if there are as many and they are to be kept in order. */
  private youngestPlaces(count: number): readonly number[] {
    if (this.inOrder.length < Math.min(count, this.mostInOrder, this.count)) {
      const heard = this.places((place) => this.isHeard(place));
      this.inOrder.splice(0, Number.POSITIVE_INFINITY, ...this.youngestFirst(heard).slice(0, this.mostInOrder));
    }
    return this.inOrder;
  }

  private youngestFirst(places: number[]): number[] {
    return places.sort((one, other) => (this.born[other] as number) - (this.born[one] as number));
  }

  private get mostInOrder(): number {
    return Math.max(KEPT_IN_ORDER, 2 * this.options.window);
  }
}
