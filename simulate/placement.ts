/** How well processes are placed: the cluster's own decisions against simpler ones, on the same arrivals. */
import type { Policy } from './placed-cluster.js';
import { type Difference, difference, slowdown } from './slowdowns.js';

export interface PlacementOptions {
  nodes: number;
  /** Of all processors, on average. */
  busy: number;
  /** For how long processes arrive. */
  seconds: number;
  seeds: number;
}

const policies = ['mosrun', 'random', 'shortest', 'all-knowing'] as const satisfies Policy[];

export interface PlacementResult {
  options: PlacementOptions;
  /** Mean slowdown of each run. */
  runs: Record<Policy, number>[];
  movesPerProcess: number;
  /** Of mosrun to each other policy. */
  differences: Record<Exclude<Policy, 'mosrun'>, Difference>;
}

export async function placement(options: PlacementOptions): Promise<PlacementResult> {
  const runs: Record<Policy, number>[] = [];
  let moves = 0;
  let jobs = 0;
  for (let seed = 1; seed <= options.seeds; seed++) {
    const run = {} as Record<Policy, number>;
    for (const policy of policies) {
      const found = await slowdown({ ...options, seed }, policy);
      run[policy] = found.mean;
      moves += found.moves;
      if (policy === 'mosrun') jobs += found.jobs;
    }
    runs.push(run);
  }
  const to = (policy: Policy): Difference => difference(runs.map((run) => [run.mosrun, run[policy]]));
  return {
    options,
    runs,
    movesPerProcess: moves / jobs,
    differences: { random: to('random'), shortest: to('shortest'), 'all-knowing': to('all-knowing') },
  };
}

export function placementText({ options, runs, movesPerProcess, differences }: PlacementResult): string {
  const mean = (policy: Policy): string => (runs.reduce((sum, run) => sum + run[policy], 0) / runs.length).toFixed(2);
  const { nodes, busy, seeds } = options;
  return [
    `${nodes} nodes, ${busy * 100} % busy, ${seeds} runs; ${movesPerProcess.toFixed(2)} moves for each process`,
    `${'policy'.padEnd(14)}${'mean slowdown'.padStart(14)}   mosrun less that (95 %)`,
    `${'mosrun'.padEnd(14)}${mean('mosrun').padStart(14)}`,
    ...(['random', 'shortest', 'all-knowing'] as const).map((policy) => {
      const { mean: less, within } = differences[policy];
      return `${policy.padEnd(14)}${mean(policy).padStart(14)}   ${less.toFixed(2)} ± ${within.toFixed(2)}`;
    }),
  ].join('\n');
}
