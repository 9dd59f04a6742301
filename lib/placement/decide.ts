/** Where one process should be, and why: all that went into it is kept, so that whoever asks is told. */
import type { DecisionDocument } from '../shared/documents.js';
import { megabytes } from '../shared/megabytes.js';
import { type Place, baseOf, density, marginalCost, scaleOf, stretch, total } from './cost.js';
import type { Need } from './profile.js';

/** A node that may or may not be chosen. */
export interface Candidate extends Place {
  /** Why it is not; null: it is one. */
  excluded: string | null;
}

export type Trigger = DecisionDocument['trigger'];
export type Decision = Omit<DecisionDocument, 'at'>;

export interface Case {
  need: Need;
  /** Where it is; counted in there. */
  at: string;
  candidates: readonly Candidate[];
  /** How long it has run. As long as that it is expected to run on: most processes are short, those that have lived long go on. */
  ageSeconds: number;
  trigger: Trigger;
  /** 0 ≤ x < 1. */
  random: () => number;
}

/** Costs within this part of the least are alike: one of them is taken at random, so that not all homes choose the same. */
const ALIKE = 0.05;
/**
 * So many nodes are compared, chosen anew at random each time among those that can take the process. News are some seconds old, and if all homes compared
 * all nodes, they would send to the same few (Mitzenmacher: "How useful is old information?", IEEE TPDS 11(1), 2000; docs/simulation.md).
 */
const COMPARED = 4;
/** A move is worth it when the process is faster by at least so much: figures are never exact. */
const LEAST_GAIN = 0.2;
/** One that computes less gains nothing anywhere. */
const LEAST_BUSY = 0.1;
/** Of a move, beside what its memory takes. */
const MOVE_SECONDS = 0.05;
/** Memory is to last for so long as it grows now. */
const GROWTH_SECONDS = 5;

/**
 * What more memory it is expected to have soon, in bytes: no more than it has already. Most programs take what they need when they start, as fast as
 * they can; to go by that alone would send them away from where there is room for many times as much.
 */
export const growthBytes = ({ memoryBytes, growthBytesPerSecond }: Need): number =>
  Math.min(memoryBytes, growthBytesPerSecond * GROWTH_SECONDS);

/** The place as if the process were not there. */
function without(place: Candidate, need: Need): Candidate {
  const memoryFreeBytes = Math.min(place.memoryBytes, place.memoryFreeBytes + need.memoryBytes);
  return { ...place, runnable: Math.max(0, place.runnable - need.busy), memoryFreeBytes };
}

/** As many of them at random, in no order. */
function some<T>(all: readonly T[], count: number, random: () => number): T[] {
  if (all.length <= count) return [...all];
  const left = [...all];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0] as T);
}

/** @returns the decision; its `to` is where the process is when it should stay. */
export function decide({ need, at, candidates, ageSeconds, trigger, random }: Case): Decision {
  const wanted = need.memoryBytes + growthBytes(need);
  const all = candidates.map((one): Candidate => {
    if (one.name === at) return without(one, need);
    // What serves it at home is no longer wanted when it is there.
    const runnable = one.link === null ? Math.max(0, one.runnable - need.busyAtHome) : one.runnable;
    const excluded =
      one.excluded ??
      (wanted > one.memoryFreeBytes ? `it has only ${megabytes(Math.max(0, one.memoryFreeBytes))} to spare` : null);
    return { ...one, runnable, excluded };
  });
  const here = all.find((one) => one.name === at);
  const base = baseOf(all.filter((one) => one.excluded === null).length);
  const scale = scaleOf(all, need);
  const rows = all.map((place) => {
    const cost = marginalCost(place, need, base, scale);
    const bandwidth = place.link?.bytesPerSecond ?? here?.link?.bytesPerSecond ?? Number.POSITIVE_INFINITY;
    // One that is just starting has nothing to carry yet.
    const carried = trigger === 'start' ? 0 : need.memoryBytes;
    return { place, cost, stretch: stretch(place, need), moveSeconds: MOVE_SECONDS + carried / bandwidth };
  });
  const present = rows.find(({ place }) => place.name === at);
  const open = rows.filter(({ place }) => place.name !== at && place.excluded === null);
  const others = some(open, COMPARED, random);
  const compared = new Set(others.map(({ place }) => place.name));
  const leftOut = `it was not among the ${COMPARED} that were compared this time`;
  const least = Math.min(...others.map(({ cost }) => total(cost)));
  const alike = others.filter(({ cost }) => total(cost) <= least * (1 + ALIKE));
  const best = alike[Math.floor(random() * alike.length)];

  const answer = (to: string, reason: string): Decision => ({
    trigger,
    from: at,
    to,
    reason,
    busy: need.busy,
    memory_bytes: need.memoryBytes,
    calls_per_cpu_second: need.callsPerCpuSecond,
    bytes_per_cpu_second: need.bytesPerCpuSecond,
    candidates: rows.map(({ place, cost, stretch: slower, moveSeconds }) => ({
      node: place.name,
      excluded: place.name === at ? null : (place.excluded ?? (compared.has(place.name) ? null : leftOut)),
      density: density(place),
      cpu_cost: cost.cpu,
      waiting_cost: cost.waiting,
      memory_cost: cost.memory,
      stretch: slower,
      move_seconds: place.name === at ? 0 : moveSeconds,
    })),
  });
  if (!best) return answer(at, others.length === 0 ? 'no other node can take it' : 'no other node is better');
  const { name } = best.place;
  if (trigger === 'leaving') return answer(name, `it has to leave ${at}, and ${name} costs the cluster least`);
  if (trigger === 'order') return answer(name, `${name} costs the cluster least of the other nodes`);
  if (trigger === 'memory') return answer(name, `memory runs out on ${at}, and ${name} has room`);
  // Where it is nobody knows anything of: anywhere else it is at least known.
  if (!present) return answer(name, `${at} is not known any more`);
  if (present.place.memoryFreeBytes < wanted) return answer(name, `${at} has no memory for it, and ${name} has`);
  if (need.busy < LEAST_BUSY) return answer(at, 'it waits most of the time, and would gain nothing');
  if (total(best.cost) >= total(present.cost) * (1 - ALIKE)) return answer(at, 'it costs the cluster least where it is');
  const gain = 1 - best.stretch / present.stretch;
  const percent = `${Math.round(gain * 100)} %`;
  if (gain < LEAST_GAIN) return answer(at, `${name} costs less, but it would gain only ${percent} of its time there`);
  const saved = need.busy * ageSeconds * gain;
  if (saved <= best.moveSeconds) {
    const figures = `${best.moveSeconds.toFixed(2)} s for a gain of ${saved.toFixed(2)} s`;
    return answer(at, `${name} is better by ${percent}, but moving costs more than it has lived for: ${figures}`);
  }
  return answer(name, `${name} costs the cluster less, and it needs ${percent} less time there`);
}
