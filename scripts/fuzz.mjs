// Builds the fuzzers with clang, through cmake-js, and runs them one after another: all, or those that are named. docs/fuzzing.md says more.
// Usage: npm run fuzz -- [TARGET...] [--runs N] [--seconds N] | [TARGET...] --replay | [TARGET...] --selftest
//   --runs N      inputs for each (10 million); --seconds N: no longer than that for each
//   --replay      only the seeds, and the inputs kept in fuzz/corpus
//   --selftest    each must find a bug that is planted in what it tests
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const output = path.join(root, 'build/fuzz');
const NO_TOOLS = 3;
/** All of it has the processors only when nobody else wants them. */
const niced = ['-n', '15'];
const planted = path.join(output, 'planted');
const targets = JSON.parse(readFileSync(path.join(root, 'fuzz/targets.json'), 'utf8'));

/** Why the fuzzers cannot be built on this machine; undefined where they can. */
function whyNoFuzzers() {
  if (spawnSync('cmake', ['--version']).status !== 0) return 'cmake is not installed';
  const flags = ['-fsanitize=fuzzer,address,undefined', '-x', 'c++', '-', '-o', '/dev/null'];
  const input = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }';
  const { error, status } = spawnSync('clang++', flags, { input });
  if (error) return 'clang is not installed';
  return status === 0 ? undefined : 'clang has no libFuzzer: libclang-rt-dev is not installed';
}

/** A copy of the source with one check taken out. */
function plant(name) {
  const { file, text, by } = targets[name].plant;
  const source = readFileSync(path.join(root, 'native', file), 'utf8');
  if (source.split(text).length !== 2) throw new Error(`"${text}" is not in native/${file}, or not once: mend fuzz/targets.json`);
  const place = path.join(planted, name, file);
  const changed = source.replace(text, () => by);
  mkdirSync(path.dirname(place), { recursive: true });
  if (!existsSync(place) || readFileSync(place, 'utf8') !== changed) writeFileSync(place, changed);
}

/** Builds them, optimized as the compiler is told; the standard output and error of the tools are shown only if they fail. */
function build(names, optimize) {
  for (const name of Object.keys(targets)) if (names.includes(`${name}-planted`)) plant(name);
  mkdirSync(output, { recursive: true });
  const words = ['-d', 'fuzz', '-O', output, '--cc', 'clang', '--cxx', 'clang++', '-l', 'error', `--CDOPTIMIZE=${optimize}`];
  const all = names.length === Object.keys(targets).length;
  for (const step of [['configure'], ...(all ? [['build']] : names.map((name) => ['build', '-T', name]))]) {
    const command = [...niced, path.join(root, 'node_modules/.bin/cmake-js'), ...step, ...words];
    const done = spawnSync('nice', command, { cwd: root, encoding: 'utf8' });
    if (done.error) throw done.error;
    if (done.status !== 0) throw new Error(`cmake-js ${step.join(' ')} failed:\n${done.stdout}${done.stderr}`);
  }
}

function seedsOf(name) {
  const directory = path.join(output, 'seeds', name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const { status } = spawnSync(path.join(output, name), { env: { ...process.env, MOSRUN_FUZZ_SEEDS: directory } });
  if (status !== 0) throw new Error(`${name} writes no seeds`);
  return directory;
}

const files = (directory) => (existsSync(directory) ? readdirSync(directory).map((file) => path.join(directory, file)) : []);

function options(name, artifacts) {
  const limits = ['-timeout=20', '-rss_limit_mb=3000', '-malloc_limit_mb=3000', '-detect_leaks=0', '-print_final_stats=1'];
  return [`-max_len=${targets[name].longest}`, `-artifact_prefix=${artifacts}/`, ...limits];
}

/** What a fuzzer said and how it ended. */
function run(program, words) {
  return new Promise((resolve, reject) => {
    const child = spawn('nice', [...niced, path.join(output, program), ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('latin1').on('data', (text) => (said = (said + text).slice(-20_000)));
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, said }));
  });
}

const reason = (said) => /^(VIOLATION: .*|.*runtime error: .*|SUMMARY: .*)$/m.exec(said)?.[1] ?? 'it ended without a reason';

/** Runs the seeds and the kept inputs once each; throws with the reason at the first that fails. Tells how many there were. */
async function replay(name) {
  const inputs = [...files(seedsOf(name)), ...files(path.join(root, 'fuzz/corpus', name))];
  const { status, said } = await run(name, [...options(name, tmpdir()), ...inputs]);
  if (status !== 0) throw new Error(`${name}: ${reason(said)}\n${said}`);
  return inputs.length;
}

/** Fuzzes what has a planted bug; throws if it is not found. Tells after how many inputs. */
async function findPlanted(name) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'mosrun-fuzz-'));
  try {
    const words = [...options(name, scratch), '-runs=3000000', '-max_total_time=120', '-seed=1', scratch, seedsOf(name)];
    const { status, said } = await run(`${name}-planted`, words);
    if (status === 0) throw new Error(`${name} does not find the bug planted in ${targets[name].plant.file}`);
    return { inputs: Number(/number_of_executed_units: (\d+)/.exec(said)?.[1] ?? 1), reason: reason(said) };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Fuzzes; what makes it fail is kept in fuzz/corpus. */
async function fuzz(name, runs, seconds) {
  const work = path.join(output, 'work', name),
    kept = path.join(root, 'fuzz/corpus', name);
  for (const directory of [work, kept]) mkdirSync(directory, { recursive: true });
  const began = performance.now();
  const limit = seconds ? [`-max_total_time=${seconds}`] : [];
  const { status, said } = await run(name, [...options(name, kept), `-runs=${runs}`, ...limit, work, kept, seedsOf(name)]);
  const inputs = /number_of_executed_units: (\d+)/.exec(said)?.[1] ?? '?';
  const finding = status === 0 ? 'nothing found' : `FOUND: ${reason(said)}`;
  console.log(
    `${name.padEnd(10)} ${inputs.padStart(9)} inputs ${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${finding}`,
  );
  return status === 0;
}

async function main() {
  const number = { type: 'string' },
    flag = { type: 'boolean' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: number, seconds: number, replay: flag, selftest: flag },
  });
  const runs = Number(values.runs ?? 10_000_000),
    seconds = Number(values.seconds ?? 0);
  if (!Number.isInteger(runs) || !Number.isInteger(seconds)) throw new Error('--runs and --seconds are whole numbers');
  const names = positionals.length > 0 ? positionals : Object.keys(targets);
  const unknown = names.filter((name) => !(name in targets));
  if (unknown.length > 0) throw new Error(`no such target: ${unknown.join(' ')}; there are ${Object.keys(targets).join(' ')}`);
  const missing = whyNoFuzzers();
  if (missing) {
    console.error(`mosrun: ${missing}: scripts/install-deps --tests installs it`);
    return NO_TOOLS;
  }
  const { selftest } = values;
  build(selftest ? names.flatMap((name) => [name, `${name}-planted`]) : names, values.replay ? '-O0' : '-O2');
  let well = true;
  for (const name of names) {
    if (values.replay) console.log(`${name.padEnd(10)} ${await replay(name)} inputs, nothing found`);
    else if (selftest) {
      const { inputs, reason: why } = await findPlanted(name);
      console.log(`${name.padEnd(10)} found after ${inputs} inputs: ${why}`);
    } else well = (await fuzz(name, runs, seconds)) && well;
  }
  return well ? 0 : 1;
}

process.exitCode = await main().catch((error) => {
  console.error(`mosrun: ${error.message}`);
  return 1;
});
