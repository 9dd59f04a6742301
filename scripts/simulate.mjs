// The cluster's own decisions with clock, network and machines simulated (docs/simulation.md).
// Usage: npm run simulate -- [--nodes N,...] [--window W,...] [--steps N] [--seed N] [--deaths N] [--clusters N] [--plots DIR] [--json]
//     how old a node's knowledge of the others is, and how fast a death is known
//   --nodes N,...   clusters of so many nodes (32,64,256); --window W,...: entries in a message (8,16,32); windows above half of the nodes are left out
//   --steps N       steps in which ages are taken (300)
//   --seed N        of all that is at random (1)
//   --deaths N      so many deaths, of which the one counts that is known last (3)
//   --clusters N    of different sizes; nodes tell those of their own more often (1)
//        npm run simulate -- --placement [options] [--plots DIR] [--json]
//     how much longer processes take than they would alone, under the cluster's own placement and under simpler ones
//   --policy P,...  mosrun, random, shortest, all-knowing, off-line (the first four); the others are compared with the first
//   --nodes N       (8); --busy PART: of all processors, on average (0.7); --seconds N: for how long processes arrive (100)
//   --seeds N       runs (30); --seed N: the first seed (1)
//   --clusters N    of different sizes (1); --partners PART: of the pairs of clusters in which the one takes processes of the other (1)
//   --leave WHEN    do guests leave when a better process comes: always (usual), or only where it needs the room: room
//   --burst N       every 20 s so many processes come at once, to one node (0); --crashes N: nodes that crash, and are back 30 s later (0)
//   --cut SECONDS   the cluster is in two halves for so long, from a third of the time on (0)
//   --news HOW      do nodes know each other by all of a daemon's code (daemon; usual up to 32 nodes), or by its board alone (board)
//   --record FILE   writes what happens in the first run as a trace; --replay FILE: simulates what a trace says instead
//   --events FILE   simulates what daemons have told of: what mosctl events --json prints on each node, one after the other
//        npm run simulate -- --healing [--nodes N,...] [--cut SECONDS] [--news HOW] [--seed N] [--json]
//     how long nodes are wrong about each other after a crash, and after a cut in two halves (of 60 s) has healed
//        npm run simulate -- --cost [--nodes N,...] [--seconds N] [--json]: what knowing so many nodes (4,100,1000,10000) costs a daemon
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { bundle } from './bundle.mjs';

// Ten thousand boards of ten thousand nodes each take some gigabytes; the usual limit depends on the machine.
setFlagsFromString('--max-old-space-size=16000');

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const here = process.cwd();
process.chdir(root);
const text = { type: 'string' };
const flag = { type: 'boolean' };
const ages = { nodes: text, window: text, steps: text, seed: text, deaths: text };
const scenario = {
  busy: text,
  seconds: text,
  seeds: text,
  clusters: text,
  partners: text,
  burst: text,
  crashes: text,
  cut: text,
};
const files = { record: text, replay: text, events: text, plots: text };
const modes = { placement: flag, cost: flag, healing: flag };
const { values } = parseArgs({
  options: { ...ages, ...scenario, ...files, ...modes, policy: text, leave: text, news: text, json: flag },
});

function fail(message) {
  console.error(message);
  process.exit(2);
}

const wholes = (words, usual) => {
  const numbers = (words ?? usual).split(',').map(Number);
  return numbers.every((number) => Number.isInteger(number) && number > 1)
    ? numbers
    : fail(`not whole numbers above one: ${words}`);
};
const whole = (word, usual, least = 1) => {
  const value = Number(word ?? usual);
  return Number.isInteger(value) && value >= least ? value : fail(`not a whole number of at least ${least}: ${word}`);
};
const number = (word, usual, least, most) => {
  const value = Number(word ?? usual);
  return value >= least && value <= most ? value : fail(`not a number between ${least} and ${most}: ${word}`);
};
const oneOf = (word, ...known) =>
  word === undefined || known.includes(word) ? word : fail(`not one of ${known.join(', ')}: ${word}`);
// As the one sees them who types them.
const file = (name) => name && path.resolve(here, name);

const outfile = 'build/simulate/main.mjs';
await bundle({ entryPoints: ['simulate/main.ts'], outfile });
const { boardAges, boardTable, costOfKnowing, healing, healingText, plotAges, policies, runPlacement } = await import(
  pathToFileURL(path.join(root, outfile))
);
const say = (line) => console.error(line);
const print = (json, words) => console.log(values.json ? JSON.stringify({ version: 1, ...json }, null, 1) : words);

if (values.cost) {
  const costs = wholes(values.nodes, '4,100,1000,10000').map((nodes) => costOfKnowing(nodes, whole(values.seconds, 100)));
  const lines = costs.map(
    ({ nodes, cpu_share, bytes_per_second }) =>
      `${nodes} nodes: ${(100 * cpu_share).toFixed(2)} % of a core, ${(bytes_per_second / 1000).toFixed(1)} kB/s`,
  );
  print({ costs }, lines.join('\n'));
} else if (values.healing) {
  const all = [];
  for (const nodes of wholes(values.nodes, '32,64,128,256')) {
    const news = oneOf(values.news, 'daemon', 'board') ?? 'daemon';
    all.push(await healing({ nodes, seed: whole(values.seed, 1), news, cutSeconds: number(values.cut, 60, 0, 1e6) }));
  }
  print({ healings: all }, healingText(all));
} else if (values.placement || values.replay !== undefined || values.events !== undefined) {
  const asked = (values.policy ?? 'mosrun,random,shortest,all-knowing').split(',');
  for (const policy of asked) oneOf(policy, ...policies);
  const { text: words, json } = await runPlacement(
    {
      nodes: whole(values.nodes, 8, 2),
      busy: number(values.busy, 0.7, 0.001, 10),
      seconds: whole(values.seconds, 100),
      seed: whole(values.seed, 1),
      seeds: whole(values.seeds, 30),
      clusters: whole(values.clusters, 1),
      partners: number(values.partners, 1, 0, 1),
      burst: whole(values.burst, 0, 0),
      crashes: whole(values.crashes, 0, 0),
      cutSeconds: number(values.cut, 0, 0, 1e6),
      news: oneOf(values.news, 'daemon', 'board'),
      leave: oneOf(values.leave, 'always', 'room'),
      policies: asked,
      record: file(values.record),
      replay: file(values.replay),
      events: file(values.events),
      plots: file(values.plots),
    },
    say,
  );
  print(json, words);
} else {
  const rows = boardAges({
    nodes: wholes(values.nodes, '32,64,256'),
    windows: wholes(values.window, '8,16,32'),
    steps: whole(values.steps, 300),
    seed: whole(values.seed, 1),
    deaths: whole(values.deaths, 3),
    clusters: whole(values.clusters, 1),
  });
  if (values.plots !== undefined) for (const name of plotAges(file(values.plots), rows)) say(`wrote ${name}`);
  print({ rows }, boardTable(rows, whole(values.clusters, 1) > 1));
}
