/** How much longer work takes in a cluster than it would alone, under the cluster's own decisions and under simpler ones. */
import { PlacedCluster, type Policy } from './placed-cluster.js';
import type { Arrival, Machine } from './machines.js';
import { at } from './lists.js';
import { randomFrom } from './random.js';

export interface SlowdownOptions {
  nodes: number;
  /** Of the cluster's processors, on average. */
  busy: number;
  seconds: number;
  seed: number;
}

const GIGABYTE = 2 ** 30;
const network = { roundTripSeconds: 50e-6, bytesPerSecond: 100e6 };
const LONGEST_SECONDS = 100_000;

/** Of one, two and four cores, the slowest half as fast as the fastest. */
function machinesOf(nodes: number, random: () => number): Machine[] {
  return Array.from({ length: nodes }, () => ({
    cpus: at([1, 2, 4], Math.floor(random() * 3)),
    speed: 7000 + Math.floor(random() * 7000),
    memoryBytes: (random() < 0.5 ? 4 : 8) * GIGABYTE,
  }));
}

/** Poisson arrivals, lives with a heavy tail (bounded Pareto, exponent 1.1), most of little memory, a tenth that calls home much. */
function arrivalsOf({ nodes, busy, seconds }: SlowdownOptions, machines: readonly Machine[], random: () => number) {
  const [shortest, longest, exponent] = [0.5, 300, 1.1];
  const life = (): number => {
    const [low, high] = [shortest ** exponent, longest ** exponent];
    return (-(random() * (high - low) - high) / (high * low)) ** (-1 / exponent);
  };
  const mean = Array.from({ length: 20_000 }, life).reduce((sum, one) => sum + one, 0) / 20_000;
  const power = machines.reduce((sum, { cpus, speed }) => sum + (cpus * speed) / 10_000, 0);
  const rate = (busy * power) / mean;
  const arrivals: Arrival[] = [];
  const pause = (): number => -Math.log(1 - random()) / rate;
  for (let now = pause(); now < seconds; now += pause()) {
    const memoryBytes = random() < 0.8 ? 50e6 * (1 + random()) : GIGABYTE * (0.5 + random());
    const callsPerCpuSecond = random() < 0.1 ? 40_000 : 100;
    // Half of it comes from one node of four: that is what a cluster is for.
    const busiest = random() < 0.5 ? Math.floor(random() * Math.ceil(nodes / 4)) : Math.floor(random() * nodes);
    arrivals.push({ at: now, home: busiest, cpuSeconds: life(), memoryBytes, callsPerCpuSecond });
  }
  return arrivals;
}

export interface Slowdown {
  mean: number;
  moves: number;
  jobs: number;
}

/** Mean of how many times as long each took as it would have alone on a standard core. */
export async function slowdown(options: SlowdownOptions, policy: Policy): Promise<Slowdown> {
  const random = randomFrom(options.seed);
  const machines = machinesOf(options.nodes, random);
  const arrivals = arrivalsOf(options, machines, random);
  const cluster = new PlacedCluster({ machines, network, policy, seed: options.seed });
  await cluster.run(arrivals, LONGEST_SECONDS);
  if (cluster.left > 0) throw new Error(`${cluster.left} processes do not end`);
  const sum = cluster.ended.reduce((all, { work, seconds }) => all + seconds / work.cpuSeconds, 0);
  return { mean: sum / cluster.ended.length, moves: cluster.moves, jobs: cluster.ended.length };
}

export interface Difference {
  mean: number;
  /** Half the width of its 95 % interval. */
  within: number;
}

/** Of pairs; the interval by Student's t, of about 2.05 for thirty of them. */
export function difference(pairs: readonly (readonly [number, number])[]): Difference {
  const values = pairs.map(([one, other]) => one - other);
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1);
  return { mean, within: 2.05 * Math.sqrt(variance / values.length) };
}
