/** Ages of the board's entries and how fast a death is known, for clusters of many sizes. */
import { expectedAges, simulatedAges } from './ages.js';
import { stepsUntilKnown } from './deaths.js';

export interface AgesOptions {
  nodes: readonly number[];
  windows: readonly number[];
  steps: number;
  /** The first, and how many more of which the slowest spread of a death is taken. */
  seed: number;
  deaths: number;
  /** 1. */
  clusters?: number;
}

export interface Row {
  nodes: number;
  window: number;
  mean_age: number;
  expected_mean_age: number;
  /** Of entries of the own cluster. */
  own_cluster_age: number;
  oldest_age: number;
  expected_oldest_age: number;
  /** Steps until 99 of 100 nodes knew of a death; the most of some deaths. */
  death_known: number;
}

const digits = (value: number): number => Number(value.toPrecision(4));

/** Windows above half of the nodes are left out: the formulas are not for them. */
export function boardAges({ nodes, windows, steps, seed, deaths, clusters = 1 }: AgesOptions): Row[] {
  return nodes.flatMap((count) =>
    windows
      .filter((window) => window <= count / 2)
      .map((window) => {
        const options = { nodes: count, window, seed, clusters };
        const found = simulatedAges(options, steps);
        const expected = expectedAges(count, window);
        const known = Array.from({ length: deaths }, (_, more) => stepsUntilKnown({ ...options, seed: seed + more }, 0.99));
        return {
          nodes: count,
          window,
          mean_age: digits(found.mean),
          expected_mean_age: digits(expected.mean),
          own_cluster_age: digits(found.ownCluster),
          oldest_age: digits(found.oldest),
          expected_oldest_age: digits(expected.oldest),
          death_known: Math.max(...known),
        };
      }),
  );
}

/** @param withClusters the ages of the own cluster are told, too. */
export function boardTable(rows: readonly Row[], withClusters: boolean): string {
  const percent = (value: number, expected: number): string => `${((value / expected - 1) * 100).toFixed(1)} %`;
  const line = (...words: (string | number)[]): string => words.map((word) => String(word).padStart(12)).join('');
  return [
    line(
      'nodes',
      'window',
      'mean age',
      'computed',
      'differs',
      'oldest',
      'computed',
      'differs',
      'death known',
      'at most',
      ...(withClusters ? ['own cluster'] : []),
    ),
    ...rows.map((row) =>
      line(
        row.nodes,
        row.window,
        row.mean_age,
        row.expected_mean_age,
        percent(row.mean_age, row.expected_mean_age),
        row.oldest_age,
        row.expected_oldest_age,
        percent(row.oldest_age, row.expected_oldest_age),
        row.death_known,
        Math.floor(2 * Math.log2(row.nodes) + 3),
        ...(withClusters ? [row.own_cluster_age] : []),
      ),
    ),
  ].join('\n');
}
