/** What simulations have found, as plots. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { at } from './lists.js';
import type { Row } from './board-ages.js';
import type { Moment } from './measurements.js';
import type { PlacementRun } from './placement.js';
import type { Policy } from './policies.js';
import { type Line, type Plot, svgOf } from './svg.js';

function write(directory: string, plots: Readonly<Record<string, Plot>>): string[] {
  mkdirSync(directory, { recursive: true });
  return Object.entries(plots).map(([name, plot]) => {
    const file = path.join(directory, `${name}.svg`);
    writeFileSync(file, svgOf(plot));
    return file;
  });
}

/** Of the board: ages by the number of nodes, as simulated and as computed. @returns the files. */
export function plotAges(directory: string, rows: readonly Row[]): string[] {
  const windows = [...new Set(rows.map(({ window }) => window))];
  const linesOf = (found: (row: Row) => number, computed: (row: Row) => number): Line[] => {
    const of = (window: number, value: (row: Row) => number): (readonly [number, number])[] =>
      rows.filter((row) => row.window === window).map((row) => [row.nodes, value(row)] as const);
    return [
      ...windows.map((window) => ({ label: `window of ${window}, simulated`, points: of(window, found), dots: true })),
      ...windows.map((window) => ({ label: `window of ${window}, computed`, points: of(window, computed) })),
    ].map((line, index) => ({ ...line, colour: index % windows.length }));
  };
  const x = { label: 'nodes', log: true };
  return write(directory, {
    'mean-age': {
      title: 'Mean age of what a node knows of another',
      x,
      y: { label: 'steps', log: true },
      lines: linesOf(
        (row) => row.mean_age,
        (row) => row.expected_mean_age,
      ),
    },
    'oldest-age': {
      title: 'Age of the oldest entry of a board, on average',
      x,
      y: { label: 'steps', log: true },
      lines: linesOf(
        (row) => row.oldest_age,
        (row) => row.expected_oldest_age,
      ),
    },
    'death-known': {
      title: 'From when a node is found dead until 99 of 100 know',
      x,
      y: { label: 'steps', from: 0 },
      lines: [
        ...windows.map((window) => ({
          label: `window of ${window}`,
          dots: true,
          points: rows.filter((row) => row.window === window).map(({ nodes, death_known }) => [nodes, death_known] as const),
        })),
        {
          label: '2 log2 N + 3',
          dashed: true,
          points: [...new Set(rows.map(({ nodes }) => nodes))].map((nodes) => [nodes, 2 * Math.log2(nodes) + 3] as const),
        },
      ],
    },
  });
}

/** Points of a curve, few enough to be drawn. */
const MOST_POINTS = 120;

/** What part of the values is greater than each. @param sorted the least first. */
function exceeding(sorted: readonly number[]): (readonly [number, number])[] {
  const stride = Math.max(1, Math.floor(sorted.length / MOST_POINTS));
  const points: (readonly [number, number])[] = [];
  for (let index = 0; index < sorted.length; ) {
    points.push([at(sorted, index), ((sorted.length - index) / sorted.length) * 100]);
    // The few that are slowed down most are what matters.
    index += sorted.length - index > MOST_POINTS ? stride : 1;
  }
  return points;
}

/** Of placement: the first run over time, slowdowns of all runs. @returns the files. */
export function plotPlacement(directory: string, runs: readonly PlacementRun[], policies: readonly Policy[]): string[] {
  const momentsOf = (policy: Policy): readonly Moment[] => runs[0]?.policies[policy]?.moments ?? [];
  const over = (policy: Policy, value: (moment: Moment) => number | null): (readonly [number, number])[] =>
    momentsOf(policy).flatMap((moment) => {
      const found = value(moment);
      return found === null ? [] : [[moment.seconds, found] as const];
    });
  const [first] = policies;
  if (first === undefined) return [];
  const x = { label: 'seconds', to: runs[0]?.seconds ?? 0 };
  const hasWrong = momentsOf(first).some(({ wrongPercent }) => wrongPercent !== null);
  return write(directory, {
    loads: {
      title: `Loads of the nodes over time (${first})`,
      x,
      y: { label: 'threads for each standard core' },
      lines: [
        { label: 'the most', points: over(first, ({ load }) => load.most), dashed: true },
        { label: 'one of twenty is above', points: over(first, ({ load }) => load.high) },
        { label: 'in the middle', points: over(first, ({ load }) => load.median) },
        { label: 'one of twenty is below', points: over(first, ({ load }) => load.low) },
      ],
    },
    spread: {
      title: 'Nineteen of twenty nodes have less load than this',
      x,
      y: { label: 'threads for each standard core' },
      lines: policies.map((policy) => ({ label: policy, points: over(policy, ({ load }) => load.high) })),
    },
    migrations: {
      title: `Migrations over time (${first})`,
      x,
      y: { label: 'moves since the beginning' },
      lines: [{ label: first, points: over(first, ({ moves }) => moves) }],
    },
    slowdowns: {
      title: 'How many processes are slowed down how much',
      x: { label: 'slowdown: times as long as alone on a standard core', log: true },
      y: { label: '% of the processes, slowed down more', log: true },
      lines: policies.map((policy) => ({
        label: policy,
        points: exceeding(runs.flatMap((run) => run.policies[policy]?.sorted ?? []).sort((one, other) => one - other)),
      })),
    },
    ...(hasWrong && {
      board: {
        title: 'What nodes hold wrongly for dead or alive',
        x,
        y: { label: '% of all pairs of living nodes' },
        lines: [{ label: first, points: over(first, ({ wrongPercent }) => wrongPercent) }],
      },
    }),
  });
}
