/** Runs the cluster's own decisions with clock, network and machines simulated: see scripts/simulate.mjs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { plotAges, plotPlacement } from './figures.js';
import { scenarioFromEvents } from './from-events.js';
import type { ClusterOptions } from './placed-cluster.js';
import { type PlacementRun, compare, placementText, resultOf } from './placement.js';
import type { Policy } from './policies.js';
import { type Scenario, type ScenarioOptions, scenarioOf } from './scenario.js';
import { readTrace, traceOf } from './trace.js';

export { boardAges, boardTable } from './board-ages.js';
export { costOfKnowing } from './cost.js';
export { healing, healingText } from './healing.js';
export { policies } from './policies.js';
export { plotAges };

const LARGE = 1000;

export interface PlacementArguments extends Omit<ScenarioOptions, 'seed'>, Pick<ClusterOptions, 'news' | 'leave'> {
  /** The first seed, and of how many runs. */
  seed: number;
  seeds: number;
  policies: readonly Policy[];
  /** A trace to be replayed, or events to be made one of. */
  replay?: string;
  events?: string;
  /** Where the (first) scenario is written as a trace. */
  record?: string;
  /** A folder. */
  plots?: string;
}

function scenariosOf(args: PlacementArguments): Scenario[] {
  if (args.replay !== undefined) return [readTrace(args.replay)];
  if (args.events !== undefined) return [scenarioFromEvents(readFileSync(args.events, 'utf8'))];
  return Array.from({ length: args.seeds }, (_, index) => scenarioOf({ ...args, seed: args.seed + index }));
}

/** @param say is told how far it is. @returns as text and as what is behind it. */
export async function runPlacement(
  args: PlacementArguments,
  say: (line: string) => void,
): Promise<{ text: string; json: unknown }> {
  const { policies, news, leave, record, plots } = args;
  const scenarios = scenariosOf(args);
  const [first] = scenarios;
  if (record !== undefined && first) writeFileSync(record, traceOf(first));
  const runs: PlacementRun[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    const options: Omit<ClusterOptions, 'policy'> = {
      ...(news && { news }),
      ...(leave && { leave }),
      ...(plots !== undefined && index === 0 && { momentSeconds: 1 }),
      // Where one would wait for long.
      ...(scenario.machines.length >= LARGE && {
        onProgress: (seconds, running) => {
          say(`${seconds} s: ${running} processes`);
        },
      }),
    };
    const began = performance.now();
    runs.push(await compare(scenario, policies, options));
    say(`seed ${scenario.seed}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  const result = resultOf(runs, policies);
  if (plots !== undefined) for (const file of plotPlacement(plots, runs, policies)) say(`wrote ${file}`);
  // What each single process had is for plots.
  const brief = runs.map((run) => ({
    ...run,
    policies: Object.fromEntries(
      Object.entries(run.policies).map(([policy, found]) => [policy, { ...found, sorted: undefined }]),
    ),
  }));
  const nodes = first?.machines.length ?? 0;
  const clusters = new Set(first?.clusters).size;
  const text = `${nodes} nodes in ${clusters} ${clusters === 1 ? 'cluster' : 'clusters'}, ${placementText(result, policies)}`;
  return { text, json: { nodes, clusters, runs: brief, differences: result.differences } };
}
