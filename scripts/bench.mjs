// Builds what is missing and takes the figures of bench/: all, or those whose name contains one of the words.
// Usage: npm run bench -- [--no-build] [--quick] [--rounds=N] [--document] [WORD...]     --rounds: N of each at most; --document: writes docs/performance.md
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);

function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

if (!process.argv.includes('--no-build')) run(process.execPath, 'scripts/build.mjs');
run('make', '-s', '-C', 'bench/programs');

// What it needs may just have been installed.
const { bundle, environment } = await import('./bundle.mjs');
await bundle({ entryPoints: ['bench/main.ts'], outfile: 'build/bench/main.mjs' });
const words = ['--enable-source-maps', 'build/bench/main.mjs', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, words, { stdio: 'inherit', env: environment(root) });
process.exit(status ?? 1);
