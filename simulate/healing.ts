/** How long nodes are wrong about each other after a cut in two halves, after it has healed, and after a crash. */
import { MOST_ENTRIES } from '../lib/cluster/index.js';
import { expectedAges } from './ages.js';
import { PlacedCluster } from './placed-cluster.js';
import type { Scenario } from './scenario.js';
import { scenarioOf } from './scenario.js';

export interface HealingOptions {
  nodes: number;
  seed: number;
  news: 'daemon' | 'board';
  /** How long the two halves are apart. */
  cutSeconds: number;
}

export interface Healing {
  nodes: number;
  news: 'daemon' | 'board';
  /** Of a crash: until all that are alive know. */
  crashKnownSeconds: number;
  /** And of its coming back. */
  backKnownSeconds: number;
  /** Of the pairs across the cut, what part was held for dead when it healed. */
  cutKnown: number;
  /** From then on until nobody is wrong about anybody. */
  healedSeconds: number;
}

const STEP_SECONDS = 0.5;
/** From when a node does not answer until it is held for dead. */
const SILENT_SECONDS = 2.5;
const LONGEST_SECONDS = 3600;

/**
 * Within so many seconds after a cut has healed all nodes are right about all others; also after a crash. First somebody has to knock at one that it
 * holds for dead (a few steps), and that gets about as fast as anything (2 log2 N steps). Then each node must have heard of each: as long as the oldest
 * of all entries of all boards is old. The formula for the oldest entry of one board has the logarithm of N in it; for those of N boards, N² of them,
 * that of N², which is twice as much. Half a time more is for chance.
 */
export function healingBoundSeconds(nodes: number): number {
  const { oldest } = expectedAges(nodes, Math.min(MOST_ENTRIES, nodes / 2));
  return STEP_SECONDS * (10 + 2 * Math.log2(nodes) + 2.5 * oldest) + SILENT_SECONDS;
}

/** Lets time pass until that holds; answers for how long. */
async function until(cluster: PlacedCluster, holds: () => boolean): Promise<number> {
  const { clock } = cluster;
  const began = clock.seconds();
  while (!holds() && clock.seconds() < began + LONGEST_SECONDS) await clock.settleUntil(clock.seconds() + STEP_SECONDS);
  return clock.seconds() - began;
}

export async function healing({ nodes, seed, news, cutSeconds }: HealingOptions): Promise<Healing> {
  const scenario: Scenario = { ...scenarioOf({ nodes, busy: 0.01, seconds: 1, seed }), arrivals: [] };
  const cluster = new PlacedCluster(scenario, { policy: 'shortest', news });
  const isRight = (): boolean => cluster.wrong() === 0;
  await cluster.meet();
  cluster.happen({ kind: 'crash', at: 0, node: 0 });
  const crashKnownSeconds = await until(cluster, isRight);
  cluster.happen({ kind: 'back', at: 0, node: 0 });
  const backKnownSeconds = await until(cluster, isRight);
  cluster.happen({ kind: 'cut', at: 0, below: nodes / 2 });
  await cluster.clock.settleUntil(cluster.clock.seconds() + cutSeconds);
  const cutKnown = 1 - cluster.wrong() / ((nodes * nodes) / 2);
  cluster.happen({ kind: 'heal', at: 0 });
  const healedSeconds = await until(cluster, isRight);
  cluster.stop();
  return { nodes, news, crashKnownSeconds, backKnownSeconds, cutKnown, healedSeconds };
}

export function healingText(all: readonly Healing[]): string {
  const line = (...words: (string | number)[]): string => words.map((word) => String(word).padStart(14)).join('');
  return [
    line('nodes', 'news', 'crash known', 'back known', 'cut known', 'healed', 'at most'),
    ...all.map(({ nodes, news, crashKnownSeconds, backKnownSeconds, cutKnown, healedSeconds }) =>
      line(
        nodes,
        news,
        `${crashKnownSeconds.toFixed(1)} s`,
        `${backKnownSeconds.toFixed(1)} s`,
        `${(100 * cutKnown).toFixed(0)} %`,
        `${healedSeconds.toFixed(1)} s`,
        `${healingBoundSeconds(nodes).toFixed(0)} s`,
      ),
    ),
  ].join('\n');
}
