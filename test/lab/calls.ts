/** Which system calls a behaviour makes, as strace(1) sees them in a plain run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository } from '../system/testbed.js';
import { type Behaviour, behaviours, compileAll, programOf, type Verdict } from './laboratory.js';
import { page } from './transparency.js';

function traced(program: string): Set<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-calls-'));
  const trace = path.join(directory, 'trace');
  spawnSync('strace', ['-f', '-qq', '-o', trace, program], {
    cwd: directory,
    stdio: 'ignore',
    timeout: 60_000,
    env: { PATH: process.env['PATH'] },
  });
  const text = readFileSync(trace, 'utf8');
  rmSync(directory, { recursive: true, force: true });
  return new Set([...text.matchAll(/^\d+ +(?:<\.\.\. )?(\w+)[( ]/gm)].map(([, name = '']) => name));
}

/** Calls that every program makes are a behaviour's own only where its text names them. */
function own(behaviour: Behaviour, everybody: ReadonlySet<string>): Set<string> {
  const text = readFileSync(path.join(repository, 'test/lab/behaviours', `${behaviour.name}.c`), 'utf8');
  return new Set(
    [...traced(programOf(behaviour))].filter((call) => !everybody.has(call) || new RegExp(`\\b(SYS_)?${call}\\b`).test(text)),
  );
}

/** @param results what `npm run lab -- --json` wrote */
export async function write(results: string): Promise<void> {
  const verdicts = JSON.parse(readFileSync(results, 'utf8')) as Verdict[];
  const named = new Map(verdicts.map((verdict) => [verdict.behaviour.name, verdict]));
  const all = behaviours();
  const unknown = all.filter(({ name }) => !named.has(name)).map(({ name }) => name);
  if (unknown.length > 0) throw new Error(`not in ${results}: ${unknown.join(', ')}`);
  const mistakes = await compileAll(all);
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  const everybody = traced('/bin/true');
  const made = new Map(all.map((behaviour) => [behaviour.name, own(behaviour, everybody)]));
  const current = all.map((behaviour) => ({ ...named.get(behaviour.name), behaviour }) as Verdict);
  writeFileSync(path.join(repository, 'docs/transparency.md'), page(current, made));
}
