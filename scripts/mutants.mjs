// Shows that the guards are what holds: takes out one after another, in a copy, and runs the test that must now fail.
// Usage: node scripts/mutants.mjs [WORD...]     all of test/security/mutants.json, or those whose name has one of the words
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, environment } from './bundle.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);
const copy = path.join(root, 'build/mutant');
const words = process.argv.slice(2);
const { mutants } = JSON.parse(readFileSync('test/security/mutants.json', 'utf8'));
const chosen = mutants.filter(({ guard }) => words.length === 0 || words.some((word) => guard.includes(word)));

if (spawnSync('make', ['-s', '-C', 'test/gate'], { stdio: 'inherit' }).status !== 0) process.exit(1);
rmSync(copy, { recursive: true, force: true });
const parts = [
  'native',
  'lib',
  'dist',
  'simulate',
  'test/unit',
  'test/fixtures',
  'test/gate',
  'build/native',
  'build/generated',
  'build/test-gate',
];
for (const part of parts)
  cpSync(part, path.join(copy, part), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
// A guard that is not called any more is no error here.
for (const file of ['native/Makefile', 'test/gate/Makefile'].map((name) => path.join(copy, name)))
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('-Werror', ''));
for (const part of ['node_modules', 'package.json']) symlinkSync(path.join(root, part), path.join(copy, part));
mkdirSync('build/mutant-tests', { recursive: true });
await bundle({
  entryPoints: ['deputy', 'ports', 'clusters'].map((name) => `test/security/${name}.test.ts`),
  outdir: 'build/mutant-tests',
  outExtension: { '.js': '.mjs' },
});

const run = (command, args, options = {}) => spawnSync(command, args, { encoding: 'utf8', timeout: 200_000, ...options });

// Only what the changed file is part of is made again.
const makes = {
  gate: () => run('make', ['-s', '-C', path.join(copy, 'test/gate')]),
  stub: () => {
    const made = run('make', ['-s', '-C', path.join(copy, 'native'), '../build/native/mosmove']);
    cpSync(path.join(copy, 'build/native/mosmove'), path.join(copy, 'dist/libexec/mosmove'));
    return made;
  },
  daemon: () => {
    const words = ['--bundle', '--platform=node', '--format=cjs', '--banner:js=#!/usr/bin/env node', '--allow-overwrite'];
    const entry = path.join(copy, 'lib/commands/bin/mosd.ts');
    return run('node_modules/.bin/esbuild', [entry, ...words, `--outfile=${path.join(copy, 'dist/bin/mosd')}`]);
  },
  library: () => ({ status: 0 }),
  unit: ({ suite }) => {
    const entry = path.join(copy, `test/unit/${suite}.test.ts`);
    const words = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--allow-overwrite'];
    return run('node_modules/.bin/esbuild', [entry, ...words, `--outfile=build/mutant-tests/${suite}.test.mjs`]);
  },
};
const test = (file, name) =>
  run(process.execPath, ['--test', '--test-name-pattern', name, `build/mutant-tests/${file}.test.mjs`], {
    env: environment(copy),
  });
const tries = {
  gate: ({ test: name }) => run(path.join(copy, 'build/test-gate/gate'), [name]),
  stub: ({ test: name }) => test('deputy', name),
  daemon: ({ test: name, suite = 'ports' }) => test(suite, name),
  library: ({ test: name, suite = 'ports' }) => test(suite, name),
  unit: ({ test: name, suite }) => test(suite, name),
};

let unnoticed = 0;
for (const mutant of chosen) {
  const { guard, part, file, text, instead } = mutant;
  const target = path.join(copy, file);
  const original = readFileSync(target, 'utf8');
  if (original.split(text).length !== 2) throw new Error(`${guard}: ${file} does not hold its text exactly once`);
  writeFileSync(
    target,
    original.replace(text, () => instead),
  );
  const made = makes[part](mutant);
  const outcome = made.status === 0 ? tries[part](mutant) : null;
  const noticed = outcome !== null && outcome.status !== 0;
  const how = outcome === null ? `NOT MADE: ${made.stderr}` : noticed ? 'noticed' : `NOT NOTICED:\n${outcome.stdout}`;
  console.log(`${noticed ? 'ok  ' : 'FAIL'}  without "${guard}": ${how}`);
  if (!noticed) unnoticed++;
  writeFileSync(target, original);
}
const named = ({ part, suite, test: name }) => `${part} ${suite} ${name}`;
for (const mutant of new Map(chosen.map((one) => [named(one), one])).values()) {
  const { part, test: name } = mutant;
  makes[part](mutant);
  const { status, stdout } = tries[part](mutant);
  if (status === 0) continue;
  console.log(`FAIL  with every guard, "${name}" fails too:\n${stdout}`);
  unnoticed++;
}
console.log(`${chosen.length} guards taken out, ${unnoticed} wrong`);
process.exit(unnoticed > 0 ? 1 : 0);
