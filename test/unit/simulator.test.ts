/** The simulator itself: machines, scenarios, traces, plots; and what whole clusters do in it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { boardAges } from '../../simulate/board-ages.js';
import { stepsUntilKnown } from '../../simulate/deaths.js';
import { plotAges, plotPlacement } from '../../simulate/figures.js';
import { scenarioFromEvents } from '../../simulate/from-events.js';
import { healing, healingBoundSeconds } from '../../simulate/healing.js';
import { Machines } from '../../simulate/machines.js';
import { offLine, slowdownsOn } from '../../simulate/off-line.js';
import { type ClusterOptions, PlacedCluster } from '../../simulate/placed-cluster.js';
import { compare } from '../../simulate/placement.js';
import { type Scenario, type ScenarioOptions, scenarioOf } from '../../simulate/scenario.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';
import { svgOf } from '../../simulate/svg.js';
import { scenarioIn, traceOf } from '../../simulate/trace.js';

const GIGABYTE = 2 ** 30;
const network = { roundTripSeconds: 50e-6, bytesPerSecond: 100e6 };
const machine = { cpus: 1, speed: 10_000, memoryBytes: 4 * GIGABYTE };
const work = { home: 0, cpuSeconds: 1, memoryBytes: 1e6, callsPerCpuSecond: 0 };

/** What happens to as many equal nodes as there are clusters given. */
const scenario = (clusters: number[], more: Partial<Scenario> = {}): Scenario => ({
  seed: 1,
  seconds: 10,
  network,
  machines: clusters.map(() => machine),
  clusters,
  partners: [],
  arrivals: [],
  incidents: [],
  ...more,
});

async function run(made: Scenario, options: Partial<ClusterOptions> = {}): Promise<PlacedCluster> {
  const cluster = new PlacedCluster(made, { policy: 'mosrun', ...options });
  await cluster.run(10_000);
  assert.equal(cluster.machines.running.size, 0);
  return cluster;
}

test('processes on a machine share it to the microsecond, and memory that is not there slows all down', () => {
  const clock = new SimulatedClock();
  const ended: string[] = [];
  const machines = new Machines([machine, { ...machine, speed: 20_000 }], network, clock, (one) => {
    ended.push(`${one.pid} at ${clock.seconds().toFixed(6)}`);
  });
  // Two share one core; when the shorter is done the other has it alone. On the second node calls home cost twice the computing.
  machines.start({ ...work, cpuSeconds: 1 }, 0);
  const long = machines.start({ ...work, cpuSeconds: 2 }, 0);
  machines.start({ ...work, cpuSeconds: 1, callsPerCpuSecond: 40_000 }, 1);
  clock.runUntil(1);
  assert.equal(machines.on(0).has(long), true);
  assert.ok(Math.abs(long.done - 0.5) < 1e-9);
  clock.runUntil(10);
  assert.deepEqual(ended, ['3 at 1.500000', '1 at 2.000000', '2 at 3.000000']);
  // It has all of its memory when it has done three quarters of a second of its work; the two do not fit then.
  for (let each = 0; each < 2; each++) machines.start({ ...work, memoryBytes: 3 * GIGABYTE }, 0);
  clock.runUntil(10.4);
  assert.equal(machines.freeBytes(0), 2.5 * GIGABYTE);
  clock.runUntil(12);
  assert.ok(machines.freeBytes(0) < 0);
  assert.equal(machines.running.size, 2);
});

test('one of the other cluster is never taken by those that do not take its processes', async () => {
  const arrivals = Array.from({ length: 20 }, (_, index) => ({ ...work, at: index * 0.1, home: index % 2, cpuSeconds: 3 }));
  const alone = new PlacedCluster(scenario([0, 0, 1, 1], { arrivals }), { policy: 'mosrun' });
  await alone.run(1000);
  assert.ok(alone.startedAt.every((node) => node < 2));
  const partners = [{ host: 1, guest: 0, priority: 5 }];
  const lent = await run(scenario([0, 0, 1, 1], { arrivals, partners }));
  // The own cluster first: the first two have a processor there.
  assert.ok(lent.startedAt.slice(0, 2).every((node) => node < 2));
  assert.ok(lent.startedAt.some((node) => node >= 2));
  const mean = ({ ended }: PlacedCluster): number => ended.reduce((sum, { seconds }) => sum + seconds, 0) / ended.length;
  assert.ok(mean(lent) < 0.8 * mean(alone), `${mean(lent)} against ${mean(alone)}`);
});

for (const [leave, out] of [
  ['always', 1],
  ['room', 0],
] as const)
  test(`a guest ${out ? 'leaves when' : 'stays where there is room though'} an owner's process comes (${leave})`, async () => {
    const partners = [{ host: 1, guest: 0, priority: 5 }];
    // The guest's own node is busy for long; the other cluster has two processors.
    const arrivals = [
      { ...work, at: 0, home: 0, cpuSeconds: 60 },
      { ...work, at: 5, home: 0, cpuSeconds: 20 },
      { ...work, at: 12, home: 1, cpuSeconds: 5 },
    ];
    const machines = [machine, { ...machine, cpus: 2 }];
    const cluster = await run(scenario([0, 1], { arrivals, partners, machines }), { leave });
    assert.equal(cluster.startedAt[1], 1);
    assert.equal(cluster.pushedOut, out);
    const owners = cluster.ended.find(({ work: { home } }) => home === 1);
    assert.ok((owners?.seconds ?? 99) < 5.01, `${owners?.seconds}`);
    assert.equal(cluster.lost, 0);
  });

test('clusters are of different sizes, and every node is in one', () => {
  const { clusters } = scenarioOf({ nodes: 200, clusters: 18, busy: 0.5, seconds: 1, seed: 1 });
  const sizes = Array.from({ length: 18 }, (_, cluster) => clusters.filter((one) => one === cluster).length);
  assert.equal(
    sizes.reduce((sum, one) => sum + one, 0),
    200,
  );
  assert.ok(Math.min(...sizes) >= 1 && Math.max(...sizes) >= 10 * Math.min(...sizes), sizes.join());
});

test('what ran on a node that crashes is lost, and what was at home elsewhere is not; what comes to it meanwhile is', async () => {
  const arrivals = [
    { ...work, at: 0, home: 0, cpuSeconds: 30 },
    { ...work, at: 0.1, home: 1, cpuSeconds: 30 },
    { ...work, at: 20, home: 0, cpuSeconds: 1 },
    { ...work, at: 60, home: 0, cpuSeconds: 1 },
  ];
  const incidents = [
    { kind: 'crash' as const, at: 10, node: 0 },
    { kind: 'back' as const, at: 40, node: 0 },
  ];
  const cluster = await run(scenario([0, 0], { arrivals, incidents }));
  assert.equal(cluster.lost, 2);
  assert.deepEqual(
    cluster.ended.map(({ work: { home }, seconds }) => `${home} ${seconds.toFixed(0)}`),
    ['1 30', '0 1'],
  );
});

test('a guest that is cut off from its home for long is lost; one for a shorter time runs on', async () => {
  const arrivals = [
    { ...work, at: 0, home: 0, cpuSeconds: 200 },
    { ...work, at: 0.1, home: 0, cpuSeconds: 200 },
  ];
  const cut = (seconds: number) =>
    run(
      scenario([0, 0], {
        arrivals,
        incidents: [
          { kind: 'cut', at: 20, below: 1 },
          { kind: 'heal', at: 20 + seconds },
        ],
      }),
    );
  assert.equal((await cut(30)).lost, 0);
  assert.equal((await cut(60)).lost, 1);
});

for (const [news, nodes] of [
  ['daemon', 12],
  ['daemon', 36],
  ['board', 64],
] as const)
  test(`${nodes} nodes (${news}): a crash is known, and all are right again about all after a cut, within the bound`, async () => {
    const found = await healing({ nodes, seed: 1, news, cutSeconds: 30 });
    const bound = healingBoundSeconds(nodes);
    assert.ok(found.cutKnown > 0.95, `of the cut ${found.cutKnown} was known`);
    for (const seconds of [found.crashKnownSeconds, found.backKnownSeconds, found.healedSeconds])
      assert.ok(seconds <= bound, `${JSON.stringify(found)}, at most ${bound}`);
  });

const small: ScenarioOptions = { nodes: 12, busy: 0.7, seconds: 20, seed: 3, burst: 6, crashes: 1 };

test('a trace replayed under the same policy gives the same to the last digit, under another something else of the same arrivals', async () => {
  const made = scenarioOf(small);
  const trace = traceOf(made);
  const replayed = scenarioIn(trace);
  assert.deepEqual(replayed, made);
  const [first, again] = [await run(made, { momentSeconds: 1 }), await run(replayed, { momentSeconds: 1 })];
  assert.ok(first.moves > 0);
  assert.deepEqual(again.ended, first.ended);
  assert.deepEqual(again.moments, first.moments);
  const other = await run(replayed, { policy: 'random' });
  assert.notDeepEqual(other.startedAt, first.startedAt);
  const sum = ({ ended, lost }: PlacedCluster): number => ended.length + lost;
  assert.equal(sum(other), sum(first));
});

test('a trace says which of its lines is wrong', () => {
  const lines = traceOf(scenarioOf(small)).split('\n');
  assert.throws(() => scenarioIn(''), /nothing in the trace/);
  assert.throws(() => scenarioIn([lines[0], '{"kind":"arrival"}'].join('\n')), /line 2 of the trace/);
  assert.throws(() => scenarioIn([lines[0], '{"kind":"crash","at":1,"node":12}'].join('\n')), /there is no node 12/);
});

test('what daemons tell of becomes a trace', () => {
  const events = [
    { at: 100, node: 'b', type: 'process-started', pid: 7, command: 'x' },
    { at: 101, node: 'a', type: 'process-started', pid: 7, command: 'y' },
    { at: 102, node: 'b', type: 'node-up', name: 'a' },
    { at: 103, node: 'b', type: 'migration-finished', pid: 7, bytes: 3e8 },
    { at: 104, node: 'b', type: 'process-ended', pid: 7, elapsed_seconds: 4 },
    { at: 107, node: 'a', type: 'process-ended', pid: 7, elapsed_seconds: 6 },
  ];
  const made = scenarioFromEvents(`${events.map((one) => JSON.stringify(one)).join('\n')}\nrest of a line`);
  assert.equal(made.machines.length, 2);
  assert.deepEqual(
    made.arrivals.map(({ at, home, cpuSeconds, memoryBytes }) => [at, home, cpuSeconds, memoryBytes]),
    [
      [0, 1, 4, 3e8],
      [1, 0, 6, 50e6],
    ],
  );
  assert.deepEqual(scenarioIn(traceOf(made)), made);
  assert.throws(() => scenarioFromEvents(''), /no process/);
});

test('the off-line assignment is reckoned as it is simulated, and better than that of the all-knowing', async () => {
  const made = scenarioOf({ nodes: 6, busy: 0.7, seconds: 20, seed: 2 });
  const known = await run(made, { policy: 'all-knowing' });
  const assignment = offLine(made, known.startedAt);
  const found = await run(made, { policy: 'off-line', assignment });
  const sum = ({ ended }: PlacedCluster): number =>
    ended.reduce((all, { work: { cpuSeconds }, seconds }) => all + seconds / cpuSeconds, 0);
  const reckoned = made.machines
    .map((_, node) =>
      slowdownsOn(
        made,
        node,
        made.arrivals.filter((_arrival, order) => assignment[order] === node),
      ),
    )
    .reduce((all, one) => all + one, 0);
  assert.ok(Math.abs(sum(found) / reckoned - 1) < 1e-6, `${sum(found)} instead of ${reckoned}`);
  assert.ok(sum(found) < sum(known));
});

test('a hundred and sixty nodes in eighteen clusters place better than at random or in the shortest queue, by news of the board', async () => {
  const made = scenarioOf({ nodes: 160, busy: 0.7, seconds: 5, seed: 1, clusters: 18 });
  const { policies } = await compare(made, ['mosrun', 'random', 'shortest'], { news: 'board' });
  const mean = (policy: 'mosrun' | 'random' | 'shortest'): number => policies[policy]?.mean ?? 0;
  assert.ok(mean('mosrun') < 0.9 * mean('random'), `${mean('mosrun')} against ${mean('random')}`);
  assert.ok(mean('mosrun') < 0.95 * mean('shortest'), `${mean('mosrun')} against ${mean('shortest')}`);
});

test('a death is known to 99 of 100 of 1,000 nodes within 2 log2 N + 3 steps', () => {
  const steps = stepsUntilKnown({ nodes: 1000, window: 16, seed: 1 }, 0.99);
  assert.ok(steps <= 2 * Math.log2(1000) + 3, `${steps} steps`);
});

test('plots have axes with units, a legend, and every point within the frame', async () => {
  const plot = svgOf({
    title: 'a < b',
    x: { label: 'seconds' },
    y: { label: 'steps', log: true },
    lines: [
      {
        label: 'one',
        points: [
          [0, 1],
          [10, 1000],
          [5, 0],
        ],
      },
      { label: 'two', points: [[3, 7]], dots: true },
    ],
  });
  for (const words of ['a &lt; b', '>seconds<', '>steps<', '>one<', '>two<', '>10<', '>1000<'])
    assert.ok(plot.includes(words), words);
  // The nought has no place on a logarithmic axis.
  assert.equal(/polyline points="([^"]*)"/.exec(plot)?.[1]?.split(' ').length, 2);
  assert.doesNotMatch(plot, /NaN|Infinity|undefined/);
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-plots-'));
  try {
    const policies = ['mosrun', 'random'] as const;
    const run = await compare(scenarioOf(small), policies, { momentSeconds: 1 });
    const rows = boardAges({ nodes: [16, 32], windows: [8], steps: 5, seed: 1, deaths: 1 });
    const files = [...plotPlacement(directory, [run], policies), ...plotAges(directory, rows)];
    assert.deepEqual(files.map((file) => path.basename(file, '.svg')).toSorted(), [
      'board',
      'death-known',
      'loads',
      'mean-age',
      'migrations',
      'oldest-age',
      'slowdowns',
      'spread',
    ]);
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      assert.match(text, /^<svg [\s\S]*<\/svg>\n$/);
      assert.doesNotMatch(text, /NaN|Infinity|undefined/, file);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
