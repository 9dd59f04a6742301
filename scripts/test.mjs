// Prepares what is missing and runs the tests: all of test/**/*.test.ts, or those whose path contains one of the given words.
// Usage: node scripts/test.mjs [--no-build] [WORD...]
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);

if (!process.argv.includes('--no-build')) {
  const prepared = spawnSync('scripts/prepare', { stdio: 'inherit' });
  if (prepared.status !== 0) process.exit(1);
}

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const sources = readdirSync('test', { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => path.join('test', name))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort();

// What it needs may just have been installed.
const { bundle, environment } = await import('./bundle.mjs');
const { unshown } = await import('./security-tests.mjs');
rmSync('build/test', { recursive: true, force: true });
await bundle({ entryPoints: sources, outdir: 'build/test', outbase: 'test', outExtension: { '.js': '.mjs' } });

// A file whose tests compute all the time or take figures has half of the machine, one that mostly waits a quarter. The longest first: what is begun last
// is then soon over, and the machine is not left to one. A file that there is no room for yet lets smaller ones go first, so that those that compute run
// one after another beside those that wait.
const ROOM = 4;
// What nodes have of the machine is what programs are placed by: that one runs first, and beside it, two at a time, only those that do next to nothing but
// wait, or have the machine only when nobody else wants it.
const isAlone = (name) => /system\/placing/.test(name);
const isQuiet = (name) => /system\/(waits|partition|join)|fuzz\/corpus/.test(name);
const measures = (name) => /system\/(programs|storms|endurance|bench)/.test(name);
const roomFor = (name) => (isAlone(name) || measures(name) ? ROOM / 2 : ROOM / 4);
const longest =
  'system/placing system/programs lab failures behaviour faults storms documentation endurance corpus clusters nights freezing partition packages guest seal restarts hops gate join commands garbage'.split(
    ' ',
  );
const rank = (name) => longest.findIndex((part) => name.includes(part)) >>> 0;
const waiting = sources.toSorted((one, other) => rank(one) - rank(other));

const names = path.resolve('build/test-names');
writeFileSync(names, '');
const counts = path.resolve('build/test-counts');
rmSync(counts, { recursive: true, force: true });
mkdirSync(counts);
const testOptions = [
  '--enable-source-maps',
  '--test',
  `--test-timeout=${process.env.MOSRUN_TEST_TIMEOUT ?? 900_000}`,
  ...(process.env.MOSRUN_TEST_NAME ? [`--test-name-pattern=${process.env.MOSRUN_TEST_NAME}`] : []),
  '--test-reporter',
  './scripts/reporter.mjs',
];
const total = { passed: 0, failed: 0, skipped: 0, failures: [] };

function countsOf(file, name) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // It was killed, or could not be started.
    return { passed: 0, failed: 1, skipped: 0, failures: [`FAIL  ${name}: it ended before its tests\n`] };
  }
}

/** Runs the tests of one file, and says what came of them when all are over. */
function runFile(source) {
  const name = source.replace(/^test\/(.*)\.test\.ts$/, '$1');
  const file = path.join(counts, name.replaceAll('/', '-'));
  // What is moved for long has a part of its work, unless all is asked for.
  const amount = process.env.MOSRUN_TEST_STORM ? {} : { MOSRUN_TEST_SHORT: '1' };
  const env = { ...environment(root), ...amount, MOSRUN_TEST_COUNTS: file, MOSRUN_TEST_NAMES: names };
  const words = [...testOptions, source.replace(/^test/, 'build/test').replace(/\.ts$/, '.mjs')];
  const began = performance.now();
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => said.push(bytes));
  return new Promise((resolve) => {
    child.on('close', (status) => {
      process.stdout.write(Buffer.concat(said));
      const one = countsOf(file, name);
      console.log(`      ${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
      if (status !== 0 && one.failed === 0) one.failures.push(`FAIL  ${name}: it ended with ${status}\n`);
      for (const key of ['passed', 'failed', 'skipped']) total[key] += one[key];
      total.failures.push(...one.failures);
      resolve(status);
    });
  });
}

let status = 0;
await new Promise((resolve) => {
  let room = ROOM;
  let running = 0;
  let alone = 0;
  const fits = (source) => roomFor(source) <= room && (alone === 0 || isQuiet(source)) && (!isAlone(source) || room === ROOM);
  const next = () => {
    for (;;) {
      const at = waiting.findIndex(fits);
      if (at < 0) break;
      const [source] = waiting.splice(at, 1);
      room -= roomFor(source);
      running++;
      if (isAlone(source)) alone++;
      void runFile(source).then((ended) => {
        status ||= ended ?? 1;
        room += roomFor(source);
        running--;
        if (isAlone(source)) alone--;
        next();
      });
    }
    if (running === 0) resolve();
  };
  next();
});
// What failed is said again before the counts: the end of a long output is what is looked at first.
if (total.failures.length > 0) console.log(`\nWhat failed, again:\n${total.failures.join('')}`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
const missing = unshown(
  new Set(sources.map((name) => name.replace(/^test\/(.*)\.test\.ts$/, '$1'))),
  new Set(readFileSync(names, 'utf8').split('\n')),
);
for (const one of missing) console.error(one);
process.exit(status || (missing.length > 0 ? 1 : 0));
