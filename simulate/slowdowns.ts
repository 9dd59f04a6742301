/** How much longer work takes in a cluster than it would alone, under the cluster's own decisions and under simpler ones. */
import { ascending, quantile } from './measurements.js';
import type { Moment } from './measurements.js';
import { offLine } from './off-line.js';
import { type ClusterOptions, PlacedCluster } from './placed-cluster.js';
import type { Scenario } from './scenario.js';

const LONGEST_SECONDS = 100_000;

export interface Slowdown {
  mean: number;
  /** In the middle, and what one of twenty, and one of a hundred, exceeds. */
  median: number;
  p95: number;
  p99: number;
  /** For each process that came to its end. */
  moves: number;
  jobs: number;
  lost: number;
  pushedOut: number;
  /** Of each process, the least first. */
  sorted: number[];
  moments: Moment[];
}

/** How many times as long each process took as it would have alone on a standard core. */
export async function slowdown(scenario: Scenario, options: ClusterOptions): Promise<Slowdown> {
  const { policy } = options;
  const assignment = policy === 'off-line' ? offLine(scenario, await allKnowing(scenario)) : [];
  const cluster = new PlacedCluster(scenario, { ...options, assignment });
  await cluster.run(LONGEST_SECONDS);
  const left = cluster.machines.running.size;
  if (left > 0) throw new Error(`${left} processes do not end`);
  const sorted = ascending(cluster.ended.map(({ work, seconds }) => seconds / work.cpuSeconds));
  return {
    mean: sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    moves: cluster.moves / sorted.length,
    jobs: sorted.length,
    lost: cluster.lost,
    pushedOut: cluster.pushedOut,
    sorted,
    moments: cluster.moments,
  };
}

/** Where each process runs that is placed by one who knows the true state of all nodes. */
async function allKnowing(scenario: Scenario): Promise<readonly number[]> {
  const cluster = new PlacedCluster(scenario, { policy: 'all-knowing' });
  await cluster.run(LONGEST_SECONDS);
  return cluster.startedAt;
}

export interface Difference {
  mean: number;
  /** Half the width of its 95 % interval. */
  within: number;
}

/** Student's t for 97.5 % and 1, 2, 3 ... degrees of freedom; beyond them that of so many is a little too wide. */
const STUDENT = [12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131];
const STUDENT_MORE = [
  { degrees: 29, t: 2.045 },
  { degrees: 19, t: 2.093 },
];

function student(degrees: number): number {
  return STUDENT[degrees - 1] ?? STUDENT_MORE.find((one) => degrees >= one.degrees)?.t ?? 2.131;
}

/** Of pairs; the interval by Student's t. */
export function difference(pairs: readonly (readonly [number, number])[]): Difference {
  const values = pairs.map(([one, other]) => one - other);
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1);
  return { mean, within: student(values.length - 1) * Math.sqrt(variance / values.length) };
}
