// The differential laboratory: runs the behaviours, all or those whose names contain a word, plain and while they are moved, and compares.
// Usage: npm run lab -- [WORD...] [--lanes N] [--seed N] [--repeats N] [--plainly] [--lazily] [--json FILE]
//   --lanes N     so many at a time, each on a testbed of its own (2)
//   --seed N      of the random moves (1); a failure tells it
//   --repeats N   runs with random moves, each with another seed (2)
//   --plainly     nothing is read ahead or written behind (mosrun --no-read-ahead --no-write-behind --no-awake)
//   --lazily      programs leave their memory behind (mosrun --lazy)
//   --json FILE   what came of each, for the page (scripts/generate-transparency.mjs)
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle, environment } from './bundle.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);
const number = { type: 'string' };
const flag = { type: 'boolean', default: false };
const options = { lanes: number, seed: number, repeats: number, plainly: flag, lazily: flag, json: { type: 'string' } };
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const whole = (text, usual) => {
  const value = Number(text ?? usual);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`not a number above zero: ${text}`);
  process.exit(2);
};
Object.assign(process.env, environment(root));
const outdir = 'build/lab-code';
await bundle({ entryPoints: ['test/lab/main.ts', 'test/lab/worker.ts'], outdir, outExtension: { '.js': '.mjs' } });
const { main } = await import(pathToFileURL(path.join(root, outdir, 'main.mjs')));
const worker = path.join(root, outdir, 'worker.mjs');
process.exitCode = await main({
  words: positionals,
  worker,
  lanes: whole(values.lanes, 2),
  seed: whole(values.seed, 1),
  repeats: whole(values.repeats, 2),
  options: [
    ...(values.plainly ? ['--no-read-ahead', '--no-write-behind', '--no-awake'] : []),
    ...(values.lazily ? ['--lazy'] : []),
  ],
  json: values.json,
});
