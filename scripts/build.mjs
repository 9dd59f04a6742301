// Builds everything: TypeScript (types checked, library emitted, commands bundled), the addon, the launcher and the engine's programs.
// Usage: node scripts/build.mjs [--install-deps] [--typescript | --native]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, missingPackages } from './packages.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);
const options = new Set(process.argv.slice(2));
const only = options.has('--typescript') ? 'typescript' : options.has('--native') ? 'native' : 'all';

function fail(message) {
  console.error(`mosrun: ${message}`);
  process.exit(1);
}

function run(command, args, extra = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', ...extra });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(' ')} failed`);
}

const tool = (name) => path.join(root, 'node_modules/.bin', name);

/**
 * Writes the other letters of a program as escapes, which mean the same wherever JavaScript allows such letters: esbuild leaves some in comments, and
 * for one of them all of a text has two bytes a letter in memory.
 */
function asciiOnly(file) {
  const escape = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/[^\0-\x7f]/g, escape));
}

/** Replaces a file that may be running: writing into it would fail with "text file busy". */
function install(from, to) {
  mkdirSync(path.dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  chmodSync(`${to}.new`, 0o755);
  renameSync(`${to}.new`, to);
}

function checkPackages() {
  const missing = missingPackages();
  if (missing === null || missing.length === 0) return;
  if (options.has('--install-deps')) {
    installPackages(missing);
    return;
  }
  // Only what the build itself runs is worth stopping for; the rest is for the demo.
  const names = missing.join(' ');
  const headers = { 'libssl-dev': 'openssl/ssl.h', 'liblz4-dev': 'lz4frame.h' };
  const isThere = (name) => (headers[name] ? existsSync(path.join('/usr/include', headers[name])) : onPath(name));
  const needed = missing.filter((name) => ['g++', 'make', 'python3', ...Object.keys(headers)].includes(name) && !isThere(name));
  if (needed.length > 0 && only !== 'typescript') {
    fail(`Debian packages are missing: ${names}: run "npm run build -- --install-deps", or apt-get install them`);
  }
  console.error(`mosrun: not installed, and needed by the demo: ${names} (npm run build -- --install-deps)`);
}

function onPath(name) {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(path.join(directory, name)));
}

async function buildTypescript() {
  run(tool('tsc'), ['-p', 'tsconfig.json']);
  const { build } = await import('esbuild');
  const entries = readdirSync('lib/commands/bin').filter((name) => name.endsWith('.ts'));
  await build({
    entryPoints: entries.map((name) => path.join('lib/commands/bin', name)),
    outdir: 'build/bin',
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    sourcemap: false,
    legalComments: 'none',
    minifySyntax: true,
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
  for (const name of entries) {
    const command = path.basename(name, '.ts');
    asciiOnly(`build/bin/${command}.js`);
    install(`build/bin/${command}.js`, `dist/bin/${command}`);
  }
  // The commands have no suffix; what they are is said by the nearest package.json.
  writeFileSync('dist/bin/package.json', '{ "type": "commonjs" }\n');
  writeFileSync('dist/lib/package.json', '{ "type": "module" }\n');
  run(process.execPath, ['scripts/generate-api.mjs']);
}

/** Manual pages and completions. */
async function buildManual() {
  const { build } = await import('esbuild');
  const outfile = 'build/generate/manual.mjs';
  await build({
    entryPoints: ['lib/commands/manual/generate.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  run(process.execPath, [outfile, 'dist']);
}

/** By environment, since node-gyp lets npm's settings win over its arguments: "npm run --silent" would hide why it fails. */
function gypSettings() {
  const prefix = path.resolve(process.execPath, '../..');
  // node-gyp downloads headers unless told where the installed ones are.
  const installed = existsSync(path.join(prefix, 'include/node/node_api.h'));
  return { ...process.env, npm_config_loglevel: 'warn', ...(installed ? { npm_config_nodedir: prefix } : {}) };
}

/** What the C++ parts take from the tables, the header and the page of system calls among it. */
async function generate() {
  const { build } = await import('esbuild');
  const generators = [
    ['native/syscalls/generate.ts', 'build/generated/syscalls.h', 'docs/system-calls.md'],
    ['native/launcher/generate.ts', 'build/generated/command-texts.h'],
  ];
  for (const [source, ...files] of generators) {
    const outfile = `build/generate/${source.split('/')[1]}.mjs`;
    await build({ entryPoints: [source], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
    run(process.execPath, [outfile, ...files]);
  }
}

async function buildNative() {
  await generate();
  const parallel = Math.min(availableParallelism(), 4);
  const configured = existsSync('build/config.gypi') && existsSync('build/Makefile');
  if (!configured || statSync('build/Makefile').mtimeMs < statSync('binding.gyp').mtimeMs) {
    run(tool('node-gyp'), ['configure'], { env: gypSettings() });
  }
  run('make', ['-s', '-C', 'build', 'BUILDTYPE=Release', `-j${parallel}`]);
  install('build/Release/mosrun.node', 'dist/libexec/mosrun.node');
  for (const name of ['mosrun', 'mosenv', 'mosnative', 'mostestload']) install(`build/Release/${name}`, `dist/bin/${name}`);
  run('make', ['-s', '-C', 'native', `-j${parallel}`]);
  for (const name of ['mosmove', 'mosgate', 'moshusk', 'mosseal', 'mosfreeze'])
    install(`build/native/${name}`, `dist/libexec/${name}`);
}

/** What the build is made from, in one hash: contents, tools, the Node it is for. */
function sourcesHash() {
  const hash = createHash('sha256').update([process.version, process.execPath].join());
  const files = ['lib', 'native']
    .flatMap((directory) => readdirSync(directory, { recursive: true }).map((name) => path.join(directory, name)))
    .concat('package-lock.json', 'tsconfig.json', 'binding.gyp', 'scripts/build.mjs', 'scripts/generate-api.mjs');
  for (const name of files.toSorted((one, other) => (one < other ? -1 : 1))) {
    if (statSync(name).isFile()) hash.update(`${name}\0`).update(readFileSync(name)).update('\0');
  }
  return hash.digest('hex');
}

/** What was made, by size and time: if anything of it is missing or was changed, it is made again. */
function products() {
  const generated = [
    'build/generated/syscalls.h',
    'build/generated/command-texts.h',
    'docs/system-calls.md',
    'docs/openapi.json',
    'docs/api.md',
  ];
  const files = ['bin', 'libexec', 'lib', 'man', 'completions']
    .filter((name) => existsSync(`dist/${name}`))
    .flatMap((name) => readdirSync(`dist/${name}`, { recursive: true }).map((file) => path.join('dist', name, file)));
  return [...files, ...generated].map((name) => {
    const found = statSync(name, { throwIfNoEntry: false });
    return [name, found?.isFile() ? `${found.size} ${found.mtimeMs}` : null];
  });
}

const stamp = 'build/built.json';
const upToDate = (sources) =>
  existsSync(stamp) && readFileSync(stamp, 'utf8') === JSON.stringify({ sources, products: products() });

checkPackages();
// A build that others run from stays as it is.
const sources = sourcesHash();
if (only === 'all' && !options.has('--clean') && upToDate(sources)) process.exit(0);
rmSync(stamp, { force: true });
if (!existsSync('node_modules/esbuild')) fail('the npm packages are not installed: run "npm ci"');
if (options.has('--clean')) for (const directory of ['build', 'dist']) rmSync(directory, { recursive: true, force: true });
if (only !== 'native') {
  await buildTypescript();
  await buildManual();
}
if (only !== 'typescript') await buildNative();
if (only === 'all') writeFileSync(stamp, JSON.stringify({ sources, products: products() }));
