/**
 * What a process needs, as it has shown so far: how much processor it would use if it could, how much memory, and how much of what it does is
 * carried out at home. Taken from counters that the kernel and the stub keep anyway: watching costs the process nothing.
 */

/** Counters at a moment. Those of another place begin anew: only differences within one place count. */
export interface Sample {
  /** By the clock of who samples. */
  atSeconds: number;
  place: string;
  /** At home all it uses; away without what it is in the kernel, which is mostly for having calls carried out at home. */
  cpuSeconds: number;
  /** Threads that run or want to, now. */
  runnable: number;
  /** Of those that serve it at home while it is away. */
  runnableAtHome: number;
  memoryBytes: number;
  /** Calls that are, or would be, carried out at home, and what they carried. */
  calls: number;
  bytes: number;
}

/** The way between home and another node. */
export interface Link {
  roundTripSeconds: number;
  bytesPerSecond: number;
}

export interface Need {
  /** Threads that compute, or wait for a call to be carried out at home; on average. */
  busy: number;
  /** What it keeps busy at home while it is away; on average. */
  busyAtHome: number;
  memoryBytes: number;
  growthBytesPerSecond: number;
  /** For each second of processor time: so that one that is slowed down is not taken for one that calls seldom. */
  callsPerCpuSecond: number;
  bytesPerCpuSecond: number;
}

/** Part of its past that a process keeps each second; `-d` says otherwise for one. */
export const DECAY_PER_SECOND = 0.9;
/** Of one that hardly computes it is not said that it calls without end. */
const LEAST_CPU_SHARE = 0.001;
/** Memory that has been counted twice within less is not yet seen to grow. */
const GROWTH_SECONDS = 0.5;

/** What was seen over some time. */
interface Seen {
  seconds: number;
  cpu: number;
  busy: number;
  busyAtHome: number;
  calls: number;
  bytes: number;
}

const nothing: Seen = { seconds: 0, cpu: 0, busy: 0, busyAtHome: 0, calls: 0, bytes: 0 };
const keys = Object.keys(nothing) as (keyof Seen)[];

/** The one, less of it where `part` is below 1, and the other. */
const sum = (one: Seen, part: number, other: Seen): Seen =>
  Object.fromEntries(keys.map((key) => [key, one[key] * part + other[key]])) as unknown as Seen;

const perCpuSecond = ({ seconds, cpu }: Seen, amount: number): number =>
  amount / Math.max(cpu, LEAST_CPU_SHARE * seconds, Number.EPSILON);

/** A process that has behaved otherwise for so long has begun something else, and what it did before says nothing more. */
const CHANGED_SECONDS = 2.5;
const CHANGED_BUSY = 0.5;
const CHANGED_CALLS = 3;
/** Below so many for each second it computes their number does not matter. */
const FEW_CALLS = 1000;

type Change = 'more calls' | 'fewer calls' | 'busier' | 'idler' | null;

function changeOf(now: Seen, before: Seen): Change {
  const calls = (seen: Seen): number => perCpuSecond(seen, seen.calls) + FEW_CALLS;
  const busier = now.busy / now.seconds - before.busy / before.seconds;
  if (Math.abs(busier) > CHANGED_BUSY) return busier > 0 ? 'busier' : 'idler';
  if (calls(now) > calls(before) * CHANGED_CALLS) return 'more calls';
  return calls(now) * CHANGED_CALLS < calls(before) ? 'fewer calls' : null;
}

export class Profile {
  private last: Sample | null = null;
  private grownFrom: { atSeconds: number; memoryBytes: number } | null = null;
  private seen = nothing;
  /** The last intervals, the newest last: as many as make up {@link CHANGED_SECONDS}. */
  private lately: { interval: Seen; before: Seen }[] = [];
  private growth = 0;
  /** It has begun something else since it was placed; that took long enough to be sure of it. */
  changed = false;

  constructor(private readonly decayPerSecond = DECAY_PER_SECOND) {}

  /** @param link to home; null: it is at home. */
  take(sample: Sample, link: Link | null): void {
    const { last } = this;
    this.last = sample;
    if (last?.place !== sample.place) {
      this.grownFrom = sample;
      this.growth = 0;
      return;
    }
    const passed = sample.atSeconds - last.atSeconds;
    if (passed <= 0) return;
    const calls = Math.max(0, sample.calls - last.calls);
    const bytes = Math.max(0, sample.bytes - last.bytes);
    const waits = link ? calls * link.roundTripSeconds + bytes / link.bytesPerSecond : 0;
    const interval: Seen = {
      seconds: passed,
      cpu: Math.max(0, sample.cpuSeconds - last.cpuSeconds),
      busy: sample.runnable * passed + waits,
      busyAtHome: link ? sample.runnableAtHome * passed : 0,
      calls,
      bytes,
    };
    this.lately.push({ interval, before: this.seen });
    this.seen = sum(this.seen, this.decayPerSecond ** passed, interval);
    this.noteChange();
    this.noteGrowth(sample);
  }

  private noteChange(): void {
    const total = (from: number): Seen => this.lately.slice(from).reduce((all, { interval }) => sum(all, 1, interval), nothing);
    while (total(1).seconds >= CHANGED_SECONDS) this.lately.shift();
    const before = this.lately[0]?.before ?? nothing;
    const lately = total(0);
    if (before.seconds === 0 || lately.seconds < CHANGED_SECONDS) return;
    const [change, ...others] = this.lately.map(({ interval }) => changeOf(interval, before));
    if (!change || !others.every((one) => one === change)) return;
    this.seen = lately;
    this.changed = true;
  }

  private noteGrowth(sample: Sample): void {
    const from = this.grownFrom ?? sample;
    if (sample.atSeconds - from.atSeconds < GROWTH_SECONDS) return;
    this.growth = Math.max(0, sample.memoryBytes - from.memoryBytes) / (sample.atSeconds - from.atSeconds);
    this.grownFrom = sample;
  }

  /** For how long it has been watched, by what is left of that. */
  get watchedSeconds(): number {
    return this.seen.seconds;
  }

  need(): Need {
    const { seen, last, growth } = this;
    const seconds = Math.max(seen.seconds, Number.EPSILON);
    return {
      busy: seen.busy / seconds,
      busyAtHome: seen.busyAtHome / seconds,
      memoryBytes: last?.memoryBytes ?? 0,
      growthBytesPerSecond: growth,
      callsPerCpuSecond: perCpuSecond(seen, seen.calls),
      bytesPerCpuSecond: perCpuSecond(seen, seen.bytes),
    };
  }
}
