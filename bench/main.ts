/** Takes the figures that are asked for: see scripts/bench.mjs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { svgOf } from '../simulate/svg.js';
import { repository, whyNoTestbed } from '../test/system/testbed.js';
import { type Benchmark, quick, thorough } from './benchmark.js';
import { machine, quietly } from './machine.js';
import { Nodes } from './nodes.js';
import { withOwnMemory } from './own-memory.js';
import { type Result, noiseText, page, table } from './report.js';
import { suite } from './suite/index.js';

const options = new Set(process.argv.slice(2).filter((word) => word.startsWith('-')));
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const known = new Set(['--quick', '--document', '--no-build']);
/** Takes at most so many rounds of each: --rounds=N. */
const most = Number([...options].find((option) => option.startsWith('--rounds='))?.slice(9) ?? Number.POSITIVE_INFINITY);
const unknown = [...options].filter((option) => !known.has(option) && !/^--rounds=[1-9]\d*$/.test(option));
const chosen = suite.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const hasty = options.has('--quick');
// Figures taken in haste never get into the page.
const directory = path.join(repository, 'build/bench', hasty ? 'quick' : 'results');
const fileOf = (name: string): string => path.join(directory, `${name}.json`);

async function take(benchmark: Benchmark, isKept: boolean): Promise<Result> {
  const { name, title, how, run, testbed, nodes: count = 2 } = benchmark;
  // Each has nodes of its own, so that none meets what another has left.
  const nodes = await Nodes.up(count, testbed);
  try {
    const taken_at = new Date().toISOString();
    const notes: string[] = [];
    const { rounds, times } = hasty ? quick : thorough;
    const effort = { rounds: (usual: number) => Math.min(most, rounds(usual)), times };
    const work = () => run(nodes, effort, (text) => notes.push(text));
    const { result: figures, noise } = await quietly(nodes.testbed, hasty ? 0 : 60, work);
    return {
      version: 1,
      name,
      title,
      how,
      taken_at,
      quick: hasty,
      machine: { ...machine(), memory_kept: isKept },
      noise,
      figures,
      notes,
    };
  } finally {
    await nodes.down();
  }
}

/** Into the page goes what was taken now; of the others what was taken last. */
function document(taken: Result[]): void {
  const kept = path.join(repository, 'docs/performance');
  mkdirSync(kept, { recursive: true });
  for (const result of taken) writeFileSync(path.join(kept, `${result.name}.json`), `${JSON.stringify(result)}\n`);
  const sections = suite.flatMap(({ name, plots }) => {
    const file = path.join(kept, `${name}.json`);
    if (!existsSync(file)) return [];
    const result = JSON.parse(readFileSync(file, 'utf8')) as Result;
    const pictures = (plots?.(result.figures) ?? []).map((plot, number) => ({
      file: `performance/${name}-${number + 1}.svg`,
      plot,
    }));
    for (const picture of pictures) writeFileSync(path.join(repository, 'docs', picture.file), svgOf(picture.plot));
    return [{ result, pictures: pictures.map(({ file, plot: { title } }) => ({ file, title })) }];
  });
  writeFileSync(path.join(repository, 'docs/performance.md'), page(sections));
}

async function takeAll(isKept: boolean): Promise<Result[]> {
  const taken: Result[] = [];
  for (const benchmark of chosen) {
    const missing = benchmark.whyNot?.();
    if (missing) {
      console.log(`${benchmark.title}\n  skipped: ${missing}\n`);
      continue;
    }
    const result = await take(benchmark, isKept);
    taken.push(result);
    writeFileSync(fileOf(result.name), `${JSON.stringify(result, null, 1)}\n`);
    console.log(`${table(result)}\n  ${noiseText(result.noise)}\n`);
  }
  return taken;
}

async function main(): Promise<void> {
  if (unknown.length > 0) throw new Error(`there is no option ${unknown.join(' ')}, but --quick, --rounds=N and --document`);
  if (chosen.length === 0) throw new Error(`there is no such benchmark, but ${suite.map(({ name }) => name).join(', ')}`);
  if (hasty && options.has('--document')) throw new Error('figures taken in haste are not for the page');
  const why = whyNoTestbed();
  if (why) throw new Error(why);
  mkdirSync(directory, { recursive: true });
  const taken = hasty ? await takeAll(false) : await withOwnMemory(takeAll);
  if (options.has('--document')) document(taken);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1; // the testbed goes with the process
}
