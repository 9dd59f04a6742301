// The cluster's own decisions with clock, network and machines simulated: how old a node's knowledge of the others is, and how fast a death is known.
// Or, with --placement, how much longer processes take than they would alone, under the cluster's own placement and under simpler ones.
// Usage: npm run simulate -- [--nodes N,...] [--window W,...] [--steps N] [--seed N] [--json]
//   --nodes N,...   clusters of so many nodes (32,64,256); --window W,...: entries in a message (8,16,32); windows above half of the nodes are left out
//   --steps N       steps in which ages are taken (300)
//   --seed N        of all that is at random (1)
//        npm run simulate -- --placement [--nodes N] [--busy PART] [--seconds N] [--seeds N] [--json]
//        npm run simulate -- --cost [--nodes N,...] [--seconds N] [--json]: what knowing so many nodes (4,100,1000,10000) costs a daemon
//   --nodes N       (8); --busy PART: of all processors, on average (0.7); --seconds N: for how long processes arrive (100); --seeds N: runs (30)
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from './bundle.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);
const text = { type: 'string' };
const flag = { type: 'boolean' };
const ages = { nodes: text, window: text, steps: text, seed: text };
const { values } = parseArgs({
  options: { ...ages, placement: flag, cost: flag, busy: text, seconds: text, seeds: text, json: flag },
});
const wholes = (words, usual) => {
  const numbers = (words ?? usual).split(',').map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number > 1)) return numbers;
  console.error(`not whole numbers above one: ${words}`);
  process.exit(2);
};
const whole = (word, usual) => {
  const value = Number(word ?? usual);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`not a number above zero: ${word}`);
  process.exit(2);
};
const outfile = 'build/simulate/main.mjs';
await bundle({ entryPoints: ['simulate/main.ts'], outfile });
const { simulate, table, placement, placementText, costOfKnowing } = await import(pathToFileURL(path.join(root, outfile)));
if (values.cost) {
  const costs = wholes(values.nodes, '4,100,1000,10000').map((nodes) => costOfKnowing(nodes, whole(values.seconds, 100)));
  if (values.json) console.log(JSON.stringify({ version: 1, costs }, null, 1));
  else
    for (const { nodes, cpu_share, bytes_per_second } of costs)
      console.log(`${nodes} nodes: ${(100 * cpu_share).toFixed(2)} % of a core, ${(bytes_per_second / 1000).toFixed(1)} kB/s`);
  process.exit(0);
}
if (values.placement) {
  const busy = Number(values.busy ?? 0.7);
  if (!(busy > 0 && busy < 1)) {
    console.error(`not a part between 0 and 1: ${values.busy}`);
    process.exit(2);
  }
  const [nodes, seconds, seeds] = [whole(values.nodes, 8), whole(values.seconds, 100), whole(values.seeds, 30)];
  const result = await placement({ nodes, busy, seconds, seeds });
  console.log(values.json ? JSON.stringify({ version: 1, ...result }, null, 1) : placementText(result));
  process.exit(0);
}
const rows = simulate({
  nodes: wholes(values.nodes, '32,64,256'),
  windows: wholes(values.window, '8,16,32'),
  steps: whole(values.steps, 300),
  seed: whole(values.seed, 1),
});
console.log(values.json ? JSON.stringify({ version: 1, rows }, null, 1) : table(rows));
