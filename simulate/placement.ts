/** How well processes are placed: the cluster's own decisions against simpler ones, on the same arrivals. */
import type { ClusterOptions } from './placed-cluster.js';
import type { Policy } from './policies.js';
import { type Scenario, type ScenarioOptions, scenarioOf } from './scenario.js';
import { type Difference, type Slowdown, difference, slowdown } from './slowdowns.js';

export interface PlacementOptions extends Omit<ScenarioOptions, 'seed'>, Omit<ClusterOptions, 'policy' | 'assignment'> {
  seeds: number;
  policies: readonly Policy[];
}

export interface PlacementRun {
  seed: number;
  /** For how long processes arrived. */
  seconds: number;
  policies: Partial<Record<Policy, Slowdown>>;
}

export interface PlacementResult {
  runs: PlacementRun[];
  /** Of the first policy to each other: of the means of each run. */
  differences: Partial<Record<Policy, Difference>>;
}

/** One scenario under each policy. */
export async function compare(
  scenario: Scenario,
  policies: readonly Policy[],
  options: Omit<ClusterOptions, 'policy'> = {},
): Promise<PlacementRun> {
  const run: PlacementRun = { seed: scenario.seed, seconds: scenario.seconds, policies: {} };
  for (const policy of policies) run.policies[policy] = await slowdown(scenario, { ...options, policy });
  return run;
}

export async function placement(options: PlacementOptions): Promise<PlacementResult> {
  const { seeds, policies } = options;
  const runs: PlacementRun[] = [];
  for (let seed = 1; seed <= seeds; seed++) runs.push(await compare(scenarioOf({ ...options, seed }), policies, options));
  return resultOf(runs, policies);
}

export function resultOf(runs: PlacementRun[], [first, ...others]: readonly Policy[]): PlacementResult {
  const differences: PlacementResult['differences'] = {};
  if (runs.length > 1 && first !== undefined)
    for (const policy of others)
      differences[policy] = difference(runs.map((run) => [run.policies[first]?.mean ?? 0, run.policies[policy]?.mean ?? 0]));
  return { runs, differences };
}

export function placementText({ runs, differences }: PlacementResult, policies: readonly Policy[]): string {
  const line = (...words: string[]): string => words.map((word, index) => (index ? word.padStart(12) : word.padEnd(12))).join('');
  const rows = policies.map((policy) => {
    const found = runs.flatMap((run) => run.policies[policy] ?? []);
    const mean = (of: (one: Slowdown) => number, digits = 2): string =>
      (found.reduce((sum, one) => sum + of(one), 0) / found.length).toFixed(digits);
    const less = differences[policy];
    return line(
      policy,
      mean((one) => one.mean),
      mean((one) => one.median),
      mean((one) => one.p95),
      mean((one) => one.p99),
      mean((one) => one.moves, 3),
      mean((one) => one.lost, 1),
      mean((one) => one.pushedOut, 1),
      less ? `   ${less.mean.toFixed(2)} ± ${less.within.toFixed(2)}` : '',
    );
  });
  const [first] = policies;
  const jobs = runs.reduce((sum, run) => sum + ((first && run.policies[first]?.jobs) ?? 0), 0);
  return [
    `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}, ${jobs} processes; slowdowns, and moves for each process`,
    line('policy', 'mean', 'median', '95 %', '99 %', 'moves', 'lost', 'pushed out', `   ${first ?? ''} less that (95 %)`),
    ...rows,
  ].join('\n');
}
