/**
 * Moves a home's processes to where they serve best, again and again: looks at what they need and at what is known of the nodes, and orders one
 * move at a time. Everything it knows comes in by its ports, so that a simulator runs the very same code.
 */
import type { NodeView } from '../cluster/index.js';
import type { Clock } from '../shared/clock.js';
import type { DecisionDocument } from '../shared/documents.js';
import { type Candidate, type Trigger, decide, growthBytes } from './decide.js';
import { ExpectedLoads, LOAD_WINDOW_SECONDS } from './expected.js';
import { type Bounds, candidates, placesFor } from './places.js';
import { type Link, type Need, Profile, type Sample } from './profile.js';

/** One of the home's processes. */
export interface Resident {
  pid: number;
  /** Why it is not moved by itself; null: it may be. */
  stays: string | null;
  /** Of its past, kept each second; null: as usual. */
  decay: number | null;
  /** To be taken for one that computes, whatever it calls. */
  pure: boolean;
  /** What it is expected to need; 0: not known. */
  memoryBytes: number;
  /** Where it may go beyond its cluster; none: nowhere. */
  bounds?: Bounds;
}

const atHome: Bounds = { abroad: false, whyNotTo: () => null };

export interface Watched extends Sample {
  /** With the pid it names one process. */
  startTime: string;
  ageSeconds: number;
}

export interface BalancerSettings {
  automatic: boolean;
  intervalSeconds: number;
  /** How long a process stays where it is before it may be moved by itself. */
  residenceSeconds: number;
}

export interface BalancerPorts {
  self: string;
  clock: Clock;
  random: () => number;
  settings: () => BalancerSettings;
  /** This node, those of these names, and of the others those of the youngest news, up to so many in all. */
  latest: (most: number, names: ReadonlySet<string>) => NodeView[];
  linkTo: (node: string) => Link;
  /** Why nothing is placed there; null: it may be. */
  whyBarred?: (node: NodeView) => string | null;
  residents: () => Resident[];
  /** Where they are and what they have used; those that have ended, or cannot be asked about now, are left out. */
  sample: (pids: readonly number[]) => Promise<Map<number, Watched>>;
  isMoving: (pid: number) => boolean;
  /** Settles when it is there, with how long that took; rejects when it is not. */
  move: (pid: number, to: string, reason: string) => Promise<{ seconds: number }>;
  /** Where a process goes when memory runs out where it is and no node has room: to disk; null: it stays. */
  lastResort: string | null;
  log: (message: string, facts: Record<string, unknown>) => void;
  /** CPU time that this program has used, seconds; without it looks cost nothing. */
  cpuSeconds?: () => number;
}

/** Of a processor, at most: a home of thousands looks at them less often. */
const SHARE = 1 / 40;
/** One that does nothing is looked at more and more seldom. */
const LONGEST_PAUSE_SECONDS = 16;
/** Of such, so many at one look: those that have waited for it longest. */
const MOST_QUIET = 256;
/** It is watched for so long before anything is decided. */
const LEAST_WATCHED_SECONDS = 0.9;
const SEASONED_SECONDS = 3;
/** After a move that failed, longer with each. */
const FAILED_PAUSE_SECONDS = 10;
const LONGEST_FAILED_PAUSE_SECONDS = 600;
/** In a row, before all is looked at anew. */
const MOST_MOVES = 64;
/** Of each process. */
const DECISIONS_KEPT = 8;
/**
 * In a large cluster so many nodes at most are considered: those of the youngest news. What is known of the others is old, and all homes would send to the
 * same few; as it is, each has others before it, and finds one that is good enough (docs/simulation.md).
 */
const MOST_CONSIDERED = 64;

interface Entry {
  resident: Resident;
  profile: Profile;
  sample: Watched | null;
  /** By the clock. */
  nextSample: number;
  pause: number;
  here: string | null;
  hereSince: number;
  lastMoveSeconds: number;
  /** Since when it should be elsewhere; null: it should not. */
  wantsSince: number | null;
  notBefore: number;
  failures: number;
  decisions: DecisionDocument[];
  /** What was known when it was last decided about. */
  decidedOn: Watched | null;
}

interface Choice {
  entry: Entry;
  decision: DecisionDocument;
  need: Need;
  /** The greater, the sooner. */
  worth: number;
}

export class Balancer {
  readonly expected: ExpectedLoads;
  private readonly entries = new Map<number, Entry>();
  private cancel = (): void => {};
  private running = false;

  constructor(private readonly ports: BalancerPorts) {
    this.expected = new ExpectedLoads(ports.clock);
  }

  start(): void {
    this.running = true;
    this.plan();
  }

  stop(): void {
    this.running = false;
    this.cancel();
  }

  /** @param spent CPU time that the last step took, at most, seconds. */
  private plan(spent = 0): void {
    const { clock, settings, random, cpuSeconds = () => 0 } = this.ports;
    const pause = Math.max(settings().intervalSeconds, spent / SHARE);
    // Not all nodes at one pace.
    this.cancel = clock.after(pause * (0.75 + random() / 2), () => {
      const before = cpuSeconds();
      this.step()
        .catch((error: unknown) => {
          this.ports.log('nothing was placed', { error: String(error) });
        })
        .finally(() => {
          if (this.running) this.plan(cpuSeconds() - before);
        });
    });
  }

  /** The last decisions about a process, newest last. */
  decisionsOf(pid: number): readonly DecisionDocument[] {
    return this.entries.get(pid)?.decisions ?? [];
  }

  /** The same of one that has been watched where it is for long enough: what a program reads as it starts says little of what it will do. */
  seasonedNeed(pid: number): Need | null {
    const entry = this.entries.get(pid);
    return entry?.sample && entry.profile.watchedSeconds >= SEASONED_SECONDS ? this.needOf(entry) : null;
  }

  /** Of the largest of the processes, as far as they are known. */
  get largestBytes(): number {
    let largest = 0;
    for (const { sample } of this.entries.values()) if (sample) largest = Math.max(largest, sample.memoryBytes);
    return largest;
  }

  /** What is known of a process; null: nothing yet. */
  need(pid: number): Need | null {
    const entry = this.entries.get(pid);
    return entry?.sample ? this.needOf(entry) : null;
  }

  /** The nodes as places for this home's processes. */
  survey(): Candidate[] {
    const { latest, self, linkTo, whyBarred = () => null } = this.ports;
    const places = new Set<string>();
    for (const { sample } of this.entries.values()) if (sample) places.add(sample.place);
    const all = latest(MOST_CONSIDERED, places);
    const home = all.find(({ name }) => name === self);
    return home ? candidates({ home, nodes: all, expected: this.expected, linkTo, whyBarred }) : [];
  }

  /** One look at everything, and the moves that follow from it. */
  async step(): Promise<void> {
    await this.watch();
    this.expected.sweep();
    // In a large cluster even a look at all nodes costs something.
    if (!this.ports.settings().automatic || this.entries.size === 0) return;
    for (let moves = 0; moves < MOST_MOVES; moves++) {
      const all = this.survey();
      const choice = this.memoryShortage(all) ?? this.balance(all);
      if (!choice) return;
      await this.carryOut(choice);
    }
  }

  private async watch(): Promise<void> {
    const { residents, clock, sample, linkTo, self } = this.ports;
    const now = clock.seconds();
    const all = residents();
    const present = new Set(all.map(({ pid }) => pid));
    for (const pid of this.entries.keys()) if (!present.has(pid)) this.entries.delete(pid);
    for (const resident of all) {
      const known = this.entries.get(resident.pid);
      if (known) known.resident = resident;
      else this.entries.set(resident.pid, this.begin(resident, now));
    }
    const due = this.due(now);
    const samples = await sample(due);
    for (const pid of due) {
      const looked = this.entries.get(pid);
      const taken = samples.get(pid);
      if (!looked || !taken) continue;
      const isAnother = looked.sample !== null && looked.sample.startTime !== taken.startTime;
      const entry = isAnother ? this.begin(looked.resident, now) : looked;
      this.entries.set(pid, entry);
      const { sample: before } = entry;
      const isQuiet =
        before?.place === taken.place &&
        taken.runnable === 0 &&
        taken.cpuSeconds - before.cpuSeconds < 0.01 * (taken.atSeconds - before.atSeconds) &&
        taken.memoryBytes <= before.memoryBytes;
      entry.pause = isQuiet ? Math.min(LONGEST_PAUSE_SECONDS, Math.max(1, entry.pause * 2)) : 0;
      entry.nextSample = now + entry.pause;
      entry.sample = taken;
      entry.profile.take(taken, taken.place === self ? null : linkTo(taken.place));
      if (entry.here !== taken.place) Object.assign(entry, { here: taken.place, hereSince: now });
    }
  }

  /** Whom to look at now. */
  private due(now: number): number[] {
    const found: number[] = [];
    const quiet: { pid: number; since: number }[] = [];
    for (const [pid, { nextSample, pause }] of this.entries) {
      if (nextSample > now) continue;
      if (pause === 0) found.push(pid);
      else quiet.push({ pid, since: nextSample });
    }
    if (quiet.length > MOST_QUIET) quiet.sort((one, other) => one.since - other.since);
    for (const { pid } of quiet.slice(0, MOST_QUIET)) found.push(pid);
    return found;
  }

  private begin(resident: Resident, now: number): Entry {
    return {
      resident,
      profile: new Profile(resident.decay ?? undefined),
      sample: null,
      nextSample: now,
      pause: 0,
      here: null,
      hereSince: now,
      lastMoveSeconds: 0,
      wantsSince: null,
      notBefore: 0,
      failures: 0,
      decisions: [],
      decidedOn: null,
    };
  }

  private needOf({ profile, resident }: Entry): Need {
    const need = profile.need();
    const pure = resident.pure ? { callsPerCpuSecond: 0, bytesPerCpuSecond: 0 } : {};
    return { ...need, ...pure, memoryBytes: Math.max(need.memoryBytes, resident.memoryBytes) };
  }

  private mayMove({ resident, sample, notBefore }: Entry): boolean {
    return (
      resident.stays === null && sample !== null && notBefore <= this.ports.clock.seconds() && !this.ports.isMoving(resident.pid)
    );
  }

  private decideFor(entry: Entry, all: readonly Candidate[], trigger: Trigger): Choice {
    const { clock, random } = this.ports;
    const { ageSeconds, place } = entry.sample as Watched;
    const need = this.needOf(entry);
    const candidates = placesFor(all, entry.resident.bounds ?? atHome, place);
    const decision = { at: clock.wallSeconds(), ...decide({ need, at: place, candidates, ageSeconds, trigger, random }) };
    const of = (name: string): number => decision.candidates.find(({ node }) => node === name)?.stretch ?? 1;
    const worth = need.busy * (1 - of(decision.to) / of(place));
    return { entry, decision, need, worth };
  }

  /** The process whose move gains most; null when all are where they should be. */
  private balance(all: readonly Candidate[]): Choice | null {
    const { clock, settings } = this.ports;
    const now = clock.seconds();
    let best: Choice | null = null;
    for (const entry of this.entries.values()) {
      if (!this.mayMove(entry) || entry.profile.watchedSeconds < LEAST_WATCHED_SECONDS) continue;
      // Twice what the last move took, at least: else moving would be all it does.
      if (now - entry.hereSince < settings().residenceSeconds + 2 * entry.lastMoveSeconds) continue;
      // One that does nothing is decided about once at each look at it.
      if (entry.pause > 0 && entry.wantsSince === null && entry.decidedOn === entry.sample) continue;
      const choice = this.decideFor(entry, all, 'balance');
      this.keep(choice);
      entry.decidedOn = entry.sample;
      const wants = choice.decision.to !== choice.decision.from;
      entry.wantsSince = wants ? (entry.wantsSince ?? now) : null;
      if (entry.wantsSince === null) continue;
      // A load that has been seen once, by whatever ran for a moment, is out of the mean by then. Of a process that has changed it is sure already.
      if (!entry.profile.changed && now - entry.wantsSince < LOAD_WINDOW_SECONDS) continue;
      if (!best || choice.worth > best.worth) best = choice;
    }
    return best;
  }

  /** A process to be moved because the memory of its node is about to run out: the largest that another has room for. */
  private memoryShortage(all: readonly Candidate[]): Choice | null {
    const byPlace = new Map<string, Entry[]>();
    for (const entry of this.entries.values()) {
      if (!entry.sample) continue;
      const others = byPlace.get(entry.sample.place);
      if (others) others.push(entry);
      else byPlace.set(entry.sample.place, [entry]);
    }
    for (const place of all) {
      const there = byPlace.get(place.name);
      if (!there) continue;
      const growth = there.reduce((sum, { profile }) => sum + growthBytes(profile.need()), 0);
      if (place.memoryFreeBytes > growth) continue;
      const largestFirst = there.sort((one, other) => other.profile.need().memoryBytes - one.profile.need().memoryBytes);
      for (const entry of largestFirst) {
        if (!this.mayMove(entry)) continue;
        const choice = this.decideFor(entry, all, 'memory');
        this.keep(choice);
        if (choice.decision.to !== place.name) return choice;
      }
      const frozen = this.toLastResort(place, largestFirst, all);
      if (frozen) return frozen;
    }
    return null;
  }

  /** Before the node's limit ends one of its guests. Home itself looks after its own. */
  private toLastResort(place: Candidate, largestFirst: readonly Entry[], all: readonly Candidate[]): Choice | null {
    const { lastResort, self } = this.ports;
    const entry = largestFirst.find((one) => this.mayMove(one));
    if (lastResort === null || place.name === self || place.memoryFreeBytes > 0 || !entry) return null;
    const choice = this.decideFor(entry, all, 'memory');
    const reason = `memory runs out on ${place.name}, and no node has room for it: it goes to disk`;
    const frozen = { ...choice, decision: { ...choice.decision, to: lastResort, reason } };
    this.keep(frozen);
    return frozen;
  }

  /** The last decision, and of those before it the ones that moved it. */
  private keep({ entry, decision }: Choice): void {
    const moves = entry.decisions.filter(({ from, to }) => from !== to);
    entry.decisions = [...moves, decision].slice(-DECISIONS_KEPT);
  }

  private async carryOut({ entry, decision, need }: Choice): Promise<void> {
    const { clock, move, log } = this.ports;
    const { pid } = entry.resident;
    const { from, to, trigger, reason } = decision;
    try {
      const { seconds } = await move(pid, to, `${trigger}: ${reason}`);
      Object.assign(entry, {
        here: to,
        hereSince: clock.seconds(),
        lastMoveSeconds: seconds,
        wantsSince: null,
        failures: 0,
        nextSample: 0,
        pause: 0,
      });
      entry.profile.changed = false;
      // Where its counters begin anew nothing can be taken from the old ones.
      if (entry.sample) entry.sample = { ...entry.sample, place: to };
      this.expected.moved(from, to, need.busy, need.memoryBytes);
    } catch (error) {
      // One that is busy, or is to go where others are just going, can be tried again soon.
      const isBusy = (error as { code?: unknown } | null)?.code === 'busy';
      const failures = isBusy ? entry.failures : entry.failures + 1;
      const pause = isBusy ? 1 : Math.min(LONGEST_FAILED_PAUSE_SECONDS, FAILED_PAUSE_SECONDS * 2 ** entry.failures);
      Object.assign(entry, { failures, notBefore: clock.seconds() + pause });
      log('not placed', { pid, to, reason: error instanceof Error ? error.message : String(error), again: pause });
    }
  }
}
