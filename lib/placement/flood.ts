/**
 * Flood control: which processes of a home are frozen to disk and which are thawed, so that a node is never given more than it can bear. The rules are
 * those of the MOSIX white paper, III.E: marks for each class of processes, a least and a greatest number that run, and turns.
 */

import { megabytes } from '../shared/megabytes.js';

/** What is said of a class. */
export interface FloodClass {
  red: number;
  blue: number;
  returning: number;
  minimum: number;
  maximum: number;
  slice_minutes: number;
  memory: boolean;
}

export interface FloodProcess {
  pid: number;
  class: string;
  /** `waiting`: frozen, and nobody has ordered that it stay so. */
  state: 'running' | 'waiting';
  /** By the clock: since when it has been what it is. */
  since: number;
  memoryBytes: number;
  /** It has just failed to be frozen or thawed, and is left alone. */
  left: boolean;
}

export interface Flood {
  now: number;
  classes: ReadonlyMap<string, FloodClass>;
  /** Of a process whose class is not among them. */
  usual: FloodClass;
  /** Those at home and those that are frozen. */
  processes: readonly FloodProcess[];
  memoryFreeBytes: number;
  /** Kept free for the node's own. */
  reserveBytes: number;
}

export interface FloodAction {
  what: 'freeze' | 'thaw';
  pid: number;
  reason: string;
}

/** Of less nothing is gained. */
const LEAST_BYTES = 2 ** 20;

class Party {
  readonly running: readonly FloodProcess[];
  readonly waiting: readonly FloodProcess[];

  constructor(
    readonly name: string,
    readonly rules: FloodClass,
    all: readonly FloodProcess[],
  ) {
    const bySince = all.toSorted((one, other) => one.since - other.since || one.pid - other.pid);
    this.running = bySince.filter(({ state }) => state === 'running');
    this.waiting = bySince.filter(({ state }) => state === 'waiting');
  }

  /** The one that has run longest, of those that are not to run on. */
  get next(): FloodProcess | undefined {
    return this.running.length > this.rules.minimum ? this.running.find(({ left }) => !left) : undefined;
  }

  /** How many may run. */
  get most(): number {
    const { maximum, blue } = this.rules;
    return Math.min(maximum || Infinity, blue || Infinity);
  }
}

function parties({ classes, usual, processes }: Flood): Party[] {
  const groups = new Map<string, FloodProcess[]>();
  for (const one of processes) groups.set(one.class, [...(groups.get(one.class) ?? []), one]);
  return [...groups].map(([name, all]) => new Party(name, classes.get(name) ?? usual, all));
}

/** The next thing to do; null: nothing. */
export function nextAction(flood: Flood): FloodAction | null {
  const all = parties(flood);
  const { memoryFreeBytes: free, reserveBytes: reserve } = flood;
  for (const party of all) {
    const { red, maximum } = party.rules;
    const limit = Math.min(red || Infinity, maximum || Infinity);
    const { length: running } = party.running;
    if (running > limit && party.next) {
      const { pid } = party.next;
      return { what: 'freeze', pid, reason: `${running} of class ${party.name} run here, and ${limit} are to` };
    }
  }
  if (free < reserve) {
    // The largest that may go: the fewer are stopped.
    const fit = all
      .filter(({ rules, running }) => rules.memory && running.length > rules.minimum)
      .flatMap(({ running }) => running.filter(({ left, memoryBytes }) => !left && memoryBytes >= LEAST_BYTES));
    const largest = fit.toSorted((one, other) => other.memoryBytes - one.memoryBytes)[0];
    if (largest) return { what: 'freeze', pid: largest.pid, reason: `only ${megabytes(free)} of memory are free` };
  }
  const waiting = all
    .flatMap((party) => party.waiting.map((one) => ({ party, one })))
    .filter(({ one }) => !one.left)
    .toSorted((a, b) => a.one.since - b.one.since);
  for (const { party, one } of waiting) {
    if (party.running.length >= Math.max(party.most, party.rules.minimum)) continue;
    if (one.memoryBytes <= free - reserve) return { what: 'thaw', pid: one.pid, reason: 'there is room for it again' };
    // Smaller ones do not overtake it for ever, unless there would be no room for it either with all others frozen.
    const others = party.running.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    if (one.memoryBytes <= free - reserve + others) break;
  }
  // In turns: who has run for a slice gives way to who waits.
  for (const { party } of waiting) {
    const { next } = party;
    const slice = party.rules.slice_minutes * 60;
    if (next && flood.now - next.since >= slice)
      return { what: 'freeze', pid: next.pid, reason: 'others of its class have waited for their turn' };
  }
  return null;
}

/** Is there no room at home for one more of that class? The reason, or null. */
export function whyNotHome(flood: Flood, name: string, memoryBytes: number): string | null {
  const { memoryFreeBytes: free, reserveBytes: reserve, classes, usual } = flood;
  const rules = classes.get(name) ?? usual;
  const running = flood.processes.filter((one) => one.class === name && one.state === 'running').length;
  const limit = Math.min(rules.returning || Infinity, rules.maximum || Infinity);
  if (running >= limit) return `${running} of class ${name} run there already`;
  if (memoryBytes <= free - reserve) return null;
  return `${megabytes(Math.max(0, free))} of memory are free there, of which ${megabytes(reserve)} stay so; it has ${megabytes(memoryBytes)}`;
}
