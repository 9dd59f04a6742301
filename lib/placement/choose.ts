/** Which node is best for a program that is about to start, and for one that is ordered to leave. */
import { type Candidate, type Decision, decide } from './decide.js';
import type { Need } from './profile.js';

/** How long a program is expected to run of which nothing is known. */
const UNKNOWN_SECONDS = 1;

/** Taken for one that computes all the time and makes no calls. @param memoryBytes which it is expected to need; 0: not known. */
const newcomer = (memoryBytes: number): Need => ({
  busy: 1,
  busyAtHome: 0,
  memoryBytes,
  growthBytesPerSecond: 0,
  callsPerCpuSecond: 0,
  bytesPerCpuSecond: 0,
});

export interface Start {
  home: string;
  memoryBytes: number;
  random: () => number;
}

/** Home, unless it is better elsewhere. */
export function bestStart(all: readonly Candidate[], { home, memoryBytes, random }: Start): Decision {
  // As if it were at home already.
  const need = newcomer(memoryBytes);
  const counted = (one: Candidate): Candidate => ({
    ...one,
    runnable: one.runnable + need.busy,
    memoryFreeBytes: one.memoryFreeBytes - memoryBytes,
  });
  const candidates = all.map((one) => (one.name === home ? counted(one) : one));
  return decide({ need, at: home, candidates, ageSeconds: UNKNOWN_SECONDS, trigger: 'start', random });
}

export interface Leaving {
  from: string;
  /** null: nothing is known of it. */
  need: Need | null;
  trigger: 'order' | 'leaving';
  random: () => number;
}

/** Where one is to go that is not to stay where it is. */
export function bestOther(all: readonly Candidate[], { from, need, trigger, random }: Leaving): Decision {
  return decide({ need: need ?? newcomer(0), at: from, candidates: all, ageSeconds: UNKNOWN_SECONDS, trigger, random });
}
