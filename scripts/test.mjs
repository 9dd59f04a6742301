// Prepares what is missing and runs the tests: all of test/**/*.test.ts, or those whose path contains one of the given words.
// Usage: node scripts/test.mjs [--no-build] [WORD...]
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
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
rmSync('build/test', { recursive: true, force: true });
await bundle({ entryPoints: sources, outdir: 'build/test', outbase: 'test', outExtension: { '.js': '.mjs' } });

const files = sources.map((name) => name.replace(/^test/, 'build/test').replace(/\.ts$/, '.mjs'));
// Tests that take figures have the machine for themselves; of the others, which mostly wait, two files run at a time, the longest first.
const measures = (name) => /system\/(programs|endurance|behaviour|bench)/.test(name);
const longest = ['system/faults', 'system/failures', 'gate/', 'daemon/'];
const rank = (name) => longest.findIndex((part) => name.includes(part)) >>> 0;
const groups = [
  { files: files.filter((name) => !measures(name)).sort((one, other) => rank(one) - rank(other)), concurrency: 2 },
  { files: files.filter(measures), concurrency: 1 },
].filter((group) => group.files.length > 0);

const counts = path.resolve('build/test-counts');
rmSync(counts, { force: true });
let status = 0;
for (const [index, group] of groups.entries()) {
  const options = [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${group.concurrency}`,
    '--test-reporter',
    './scripts/reporter.mjs',
  ];
  const last = index === groups.length - 1 ? { MOSRUN_TEST_LAST: '1' } : {};
  const env = { ...environment(root), MOSRUN_TEST_COUNTS: counts, ...last };
  const result = spawnSync(process.execPath, [...options, ...group.files], { stdio: 'inherit', env });
  status ||= result.status ?? 1;
}
process.exit(status);
