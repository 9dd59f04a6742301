/** Runs the cluster's own decisions with clock and network simulated: see scripts/simulate.mjs. */
import { expectedAges, simulatedAges } from './ages.js';
import { stepsUntilKnown } from './deaths.js';

export { costOfKnowing } from './cost.js';
export { placement, placementText } from './placement.js';

export interface Options {
  nodes: number[];
  windows: number[];
  steps: number;
  seed: number;
}

export interface Row {
  nodes: number;
  window: number;
  mean_age: number;
  expected_mean_age: number;
  oldest_age: number;
  expected_oldest_age: number;
  /** Steps until 99 of 100 nodes knew of a death. */
  death_known: number;
}

const digits = (value: number): number => Number(value.toPrecision(4));

export function simulate({ nodes, windows, steps, seed }: Options): Row[] {
  const rows: Row[] = [];
  for (const count of nodes)
    for (const window of windows) {
      if (window > count / 2) continue;
      const options = { nodes: count, window, seed };
      const found = simulatedAges(options, steps);
      const expected = expectedAges(count, window);
      rows.push({
        nodes: count,
        window,
        mean_age: digits(found.mean),
        expected_mean_age: digits(expected.mean),
        oldest_age: digits(found.oldest),
        expected_oldest_age: digits(expected.oldest),
        death_known: stepsUntilKnown(options, 0.99),
      });
    }
  return rows;
}

export function table(rows: readonly Row[]): string {
  const percent = (value: number, expected: number): string => `${((value / expected - 1) * 100).toFixed(1)} %`;
  const line = (...words: (string | number)[]): string => words.map((word) => String(word).padStart(12)).join('');
  return [
    line('nodes', 'window', 'mean age', 'computed', 'differs', 'oldest', 'computed', 'differs', 'death known'),
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
      ),
    ),
  ].join('\n');
}
