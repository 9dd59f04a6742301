// Real programs, several at once, moved at random while links are cut, daemons killed, memory short and moves made to fail; none may notice.
// Usage: npm run torture -- [--minutes M] [--seed S] [--lanes N] [--only WORD]
//   --minutes M   for so long (10), and until the programs then running have ended
//   --seed S      of all that is at random (1); a failure tells it
//   --lanes N     so many programs at a time (3)
//   --only WORD   programs whose names hold the word
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle, environment } from './bundle.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);
const number = { type: 'string' };
const { values } = parseArgs({ options: { minutes: number, seed: number, lanes: number, only: number } });
const whole = (text, usual) => {
  const value = Number(text ?? usual);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`not a number above zero: ${text}`);
  process.exit(2);
};
const options = {
  minutes: whole(values.minutes, 10),
  seed: whole(values.seed, 1),
  lanes: whole(values.lanes, 3),
  patienceSeconds: 240,
  only: values.only ?? '',
};
Object.assign(process.env, environment(root));
const outfile = 'build/lab-code/torture.mjs';
await bundle({ entryPoints: ['test/lab/torture.ts'], outfile });
const { torture } = await import(pathToFileURL(path.join(root, outfile)));
process.exitCode = await torture(options);
