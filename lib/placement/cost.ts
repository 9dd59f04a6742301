/**
 * What a process costs a node: the opportunity cost of Amir, Awerbuch, Barak, Borgstrom and Keren, "An opportunity cost approach for job
 * assignment in a scalable computing cluster", IEEE TPDS 11(7), 2000. A resource that is nearly used up costs exponentially more than one that
 * is not, so that processor and memory can be added up. What a process waits for its calls to be carried out at home counts as processor time,
 * after Keren and Barak, "Opportunity cost algorithms for reduction of I/O and interprocess communication overhead in a computing cluster",
 * IEEE TPDS 14(1), 2003.
 */
import type { Link, Need } from './profile.js';

/** Speed of a standard core. */
export const STANDARD_SPEED = 10_000;

/** A node as a place for processes. */
export interface Place {
  name: string;
  /** Processors, and how fast each is. */
  cpus: number;
  speed: number;
  /** Threads that run or want to. */
  runnable: number;
  memoryBytes: number;
  memoryFreeBytes: number;
  /** To the home of the process; null: it is its home. */
  link: Link | null;
}

/** In standard cores. */
export const power = ({ cpus, speed }: Place): number => Math.max(1e-3, (cpus * speed) / STANDARD_SPEED);

/** Threads for each standard core. */
export const density = (place: Place): number => place.runnable / power(place);

/** What the process waits there for each second that it computes. */
export function waitsPerCpuSecond({ link }: Place, need: Need): number {
  return link ? need.callsPerCpuSecond * link.roundTripSeconds + need.bytesPerCpuSecond / link.bytesPerSecond : 0;
}

/** The smallest power of two that no node's density exceeds: what counts as fully used is what has been seen, doubled when it is not enough. */
export function scaleOf(places: readonly Place[], need: Need): number {
  const most = Math.max(1, ...places.map((place) => (place.runnable + need.busy) / power(place)));
  return 2 ** Math.ceil(Math.log2(most));
}

/**
 * Base of the exponential. With the number of nodes itself each resource's maximum is within O(log n) of the best assignment; its third power, and no
 * less than for ten of them, makes the fullest node count more, and serves better in simulation (docs/simulation.md).
 */
export const baseOf = (nodes: number): number => Math.max(10, nodes) ** 3;

export interface Cost {
  cpu: number;
  memory: number;
  /** Part of `cpu` that is for waiting. */
  waiting: number;
}

export const total = ({ cpu, memory }: Cost): number => cpu + memory;

/**
 * What the process adds to the cost of a place it is not counted in.
 * @param base see {@link baseOf}.
 * @param scale see {@link scaleOf}.
 */
export function marginalCost(place: Place, need: Need, base: number, scale: number): Cost {
  const rise = (used: number, more: number): number => base ** (used + more) - base ** used;
  const used = density(place) / scale;
  const computing = rise(used, need.busy / power(place) / scale);
  const all = rise(used, (need.busy * (1 + waitsPerCpuSecond(place, need))) / power(place) / scale);
  const memoryUsed = place.memoryBytes > 0 ? 1 - place.memoryFreeBytes / place.memoryBytes : 1;
  const memoryMore = place.memoryBytes > 0 ? need.memoryBytes / place.memoryBytes : 1;
  return { cpu: all, memory: rise(memoryUsed, memoryMore), waiting: all - computing };
}

/** How long a second of its work would take there, the process itself not yet counted in. */
export function stretch(place: Place, need: Need): number {
  const share = Math.max(1, (place.runnable + need.busy) / Math.max(1e-3, place.cpus));
  return ((share * STANDARD_SPEED) / place.speed) * (1 + waitsPerCpuSecond(place, need));
}
