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

const { build } = await import('esbuild');
rmSync('build/test', { recursive: true, force: true });
await build({
  entryPoints: sources,
  outdir: 'build/test',
  outbase: 'test',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: 'inline',
  logLevel: 'warning',
});

const files = sources.map((name) => name.replace(/^test/, 'build/test').replace(/\.ts$/, '.mjs'));
const args = ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-reporter', './scripts/reporter.mjs', ...files];
// The variable costs 40 ms at every start of Node 20 and changes nothing here.
const { NODE_EXTRA_CA_CERTS: _unused, ...environment } = process.env;
const result = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...environment, MOSRUN_SOURCE: root } });
process.exit(result.status ?? 1);
