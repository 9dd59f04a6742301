// Prepares what is missing and runs the tests: all of test/**/*.test.ts, or those whose path contains one of the given words.
// Usage: node scripts/test.mjs [--no-build] [WORD...]
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

const files = sources.map((name) => name.replace(/^test/, 'build/test').replace(/\.ts$/, '.mjs'));
// Of the tests that compute all the time or take figures two files run at a time; of the others, which mostly wait, three, the longest first.
const measures = (name) => /system\/(programs|storms|endurance|behaviour|bench)/.test(name);
const longest =
  'programs storms endurance lab faults failures hops restarts freezing clusters guest gate nights placing partition packages corpus daemon'.split(
    ' ',
  );
const rank = (name) => longest.findIndex((part) => name.includes(part)) >>> 0;
const groups = [
  { files: files.filter((name) => !measures(name)).sort((one, other) => rank(one) - rank(other)), concurrency: 3 },
  { files: files.filter(measures).sort((one, other) => rank(one) - rank(other)), concurrency: 2 },
].filter((group) => group.files.length > 0);

const names = path.resolve('build/test-names');
writeFileSync(names, '');
const counts = path.resolve('build/test-counts');
rmSync(counts, { force: true });
let status = 0;
for (const [index, group] of groups.entries()) {
  const options = [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${group.concurrency}`,
    `--test-timeout=${process.env.MOSRUN_TEST_TIMEOUT ?? 600_000}`,
    ...(process.env.MOSRUN_TEST_NAME ? [`--test-name-pattern=${process.env.MOSRUN_TEST_NAME}`] : []),
    '--test-reporter',
    './scripts/reporter.mjs',
  ];
  const last = index === groups.length - 1 ? { MOSRUN_TEST_LAST: '1' } : {};
  const env = { ...environment(root), MOSRUN_TEST_COUNTS: counts, MOSRUN_TEST_NAMES: names, ...last };
  const result = spawnSync(process.execPath, [...options, ...group.files], { stdio: 'inherit', env });
  status ||= result.status ?? 1;
}
const missing = unshown(
  new Set(sources.map((name) => name.replace(/^test\/(.*)\.test\.ts$/, '$1'))),
  new Set(readFileSync(names, 'utf8').split('\n')),
);
for (const one of missing) console.error(one);
process.exit(status || (missing.length > 0 ? 1 : 0));
