/** The differential laboratory: each behaviour is run plain and run while it is moved, and must say the same. docs/laboratory.md */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ComeHomes } from '../system/come-homes.js';
import { Workplace } from '../system/storm.js';
import { repository, type Running, Testbed } from '../system/testbed.js';
import type { Mode, Ran, Run } from './runs.js';

const sources = path.join(repository, 'test/lab/behaviours');
const built = path.join(repository, 'build/lab');

/** One file of test/lab/behaviours. Its first comment says what it shows, and what of it is known not to be served away. */
export interface Behaviour {
  /** `area/name` */
  name: string;
  what: string;
  /** Calls that may bring it home. */
  home: string[];
  /** Texts of reasons with which moves may be refused. */
  refused: string[];
  /** What else is needed: packages' commands, or files of the system. */
  needs: string[];
  /** Libraries beside the usual. */
  libraries: string[];
}

const lines = (head: string, key: string): string[] =>
  [...head.matchAll(new RegExp(`^// ${key}: (.*)$`, 'gm'))].map(([, text = '']) => text);

export function behaviours(words: readonly string[] = []): Behaviour[] {
  return readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.c'))
    .map((file) => file.slice(0, -2))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .toSorted()
    .map((name) => {
      const text = readFileSync(path.join(sources, `${name}.c`), 'utf8');
      const head = text.slice(0, text.indexOf('#include'));
      const what = /^\/\/ (.*(?:\n\/\/ (?!\w+: ).*)*)/.exec(head)?.[1]?.replaceAll('\n// ', ' ');
      if (!what) throw new Error(`${name}.c does not begin by saying what it shows`);
      return {
        name,
        what,
        home: lines(head, 'home').flatMap((line) => line.split(/[, ]+/)),
        refused: lines(head, 'refused'),
        needs: lines(head, 'needs').flatMap((line) => line.split(/[, ]+/)),
        libraries: lines(head, 'libraries').flatMap((line) => line.split(/[, ]+/)),
      };
    });
}

export const programOf = ({ name }: Behaviour): string => path.join(built, name);

/** Compiles those that are new. Undefined if all is well, else what the compiler says. */
async function compile(behaviour: Behaviour): Promise<string | undefined> {
  const source = path.join(sources, `${behaviour.name}.c`);
  const program = programOf(behaviour);
  const times = [source, path.join(repository, 'test/lab/lab.h')].map((file) => statSync(file).mtimeMs);
  if (existsSync(program) && statSync(program).mtimeMs > Math.max(...times)) return undefined;
  mkdirSync(path.dirname(program), { recursive: true });
  const words = ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror', source, '-o', program, '-pthread', '-ldl', '-lrt'];
  const compiler = spawn('gcc', [...words, ...behaviour.libraries.map((name) => `-l${name}`)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  compiler.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [status] = (await once(compiler, 'close')) as [number];
  return status === 0 ? undefined : said;
}

export async function compileAll(all: readonly Behaviour[]): Promise<string[]> {
  const waiting = [...all];
  const said: string[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      said.push(...([await compile(next)].filter(Boolean) as string[]));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return said;
}

export const whyNoLaboratory = (): string | undefined =>
  spawnSync('gcc', ['--version']).error ? 'gcc is not installed' : undefined;

/** How a behaviour is run, in this order; the first is what the others are held against. */
export const ways: { name: string; mode: Mode; away: boolean }[] = [
  { name: 'plain', mode: 'plain', away: false },
  { name: 'before each call, from home', mode: 'before', away: false },
  { name: 'before each call, from away', mode: 'before', away: true },
  { name: 'during each call, from home', mode: 'during', away: false },
  { name: 'during each call, from away', mode: 'during', away: true },
  { name: 'at random', mode: 'random', away: false },
];

export interface Verdict {
  behaviour: Behaviour;
  /** Empty if it is as it is at home. */
  troubles: string[];
  moves: number;
  during: number;
  /** Calls that brought it home, and how often. */
  cameHome: Record<string, number>;
  refusals: string[];
  skipped?: string;
  seconds: number;
}

function difference(plain: string, moved: string): string {
  const [one, other] = [plain.split('\n'), moved.split('\n')];
  const at = one.findIndex((line, index) => line !== other[index]);
  const line = at < 0 ? one.length : at;
  return `line ${line + 1}: "${one[line] ?? 'nothing'}" plain, "${other[line] ?? 'nothing'}" moved`;
}

/** A testbed of three nodes and a worker in it; runs one behaviour at a time. */
export class Bench {
  private readonly workplace = new Workplace();
  private readonly answers: AsyncIterator<string>;

  private constructor(
    private readonly testbed: Testbed,
    private readonly worker: Running,
    private readonly init: number,
  ) {
    const output = worker.child.stdout;
    if (!output) throw new Error('the worker has no output');
    this.answers = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  /** `worker` is the bundled worker.ts. */
  static async open(worker: string): Promise<Bench> {
    const testbed = await Testbed.up(3);
    const { pid } = testbed.node(1);
    const api = path.join(repository, 'dist/lib/api/index.js');
    return new Bench(testbed, testbed.start(1, ['node', worker, api], { talks: true }), pid);
  }

  async close(): Promise<void> {
    this.worker.kill('SIGKILL');
    this.workplace.remove();
    await this.testbed.down();
  }

  private async run(run: Omit<Run, 'directory'>): Promise<Ran & { files: string }> {
    const directory = this.workplace.empty();
    this.worker.child.stdin?.write(`${JSON.stringify({ ...run, directory })}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`the worker ended: ${this.worker.stderr}`);
    const ran = JSON.parse(value) as Ran;
    return { ...ran, files: JSON.stringify(this.workplace.trace(ran).files) };
  }

  async judge(
    behaviour: Behaviour,
    { seed, repeats, options = [] }: { seed: number; repeats: number; options?: string[] },
  ): Promise<Verdict> {
    const began = performance.now();
    const verdict: Verdict = { behaviour, troubles: [], moves: 0, during: 0, cameHome: {}, refusals: [], seconds: 0 };
    const missing = behaviour.needs.filter((need) => !found(need));
    if (missing.length > 0) return { ...verdict, skipped: `${missing.join(', ')} not on this machine` };
    const order = { program: programOf(behaviour), seconds: 30, options };
    const comeHomes = new ComeHomes(this.testbed, this.init);
    let plain: (Ran & { files: string }) | undefined;
    for (const { name, mode, away } of ways) {
      const times = mode === 'random' ? repeats : mode === 'plain' ? 2 : 1;
      for (let turn = 0; turn < times; turn++) {
        const ran = await this.run({ ...order, mode, away, seed: seed + turn });
        plain ??= ran;
        const troubles = this.compare(behaviour, plain, ran, mode);
        verdict.troubles.push(...troubles.map((text) => `${name}: ${text}`));
        verdict.moves += ran.moves;
        verdict.during += ran.during;
        const refusals = ran.failures.map(({ message }) => message.replaceAll(/process \d+/g, 'process N'));
        verdict.refusals = [...new Set([...verdict.refusals, ...refusals])];
      }
      // What is not the same from run to run, or fails plain, says nothing of moves.
      if (verdict.troubles.length > 0 && mode === 'plain') break;
    }
    verdict.cameHome = comeHomes.end();
    for (const call of Object.keys(verdict.cameHome))
      if (!behaviour.home.includes(call))
        verdict.troubles.push(`${call} brought it home, which it does not say ("// home: ${call}")`);
    if (verdict.troubles.length === 0 && verdict.moves === 0 && behaviour.refused.length === 0)
      verdict.troubles.push('it was never moved');
    verdict.seconds = (performance.now() - began) / 1000;
    return verdict;
  }

  private compare(behaviour: Behaviour, plain: Ran & { files: string }, ran: Ran & { files: string }, mode: Mode): string[] {
    const troubles: string[] = [];
    if (ran.late) troubles.push(`it did not end within 30 s; the last it said: "${ran.stdout.trim().split('\n').at(-1)}"`);
    if (mode === 'plain' && (ran.status ?? 0) !== 0)
      troubles.push(`it ends with ${ran.status}: ${ran.stdout.match(/^(DOES|TOO).*$/m)?.[0] ?? ran.stderr}`);
    if (ran.stdout !== plain.stdout) troubles.push(difference(plain.stdout, ran.stdout));
    if (ran.stderr !== plain.stderr) troubles.push(`standard error: ${difference(plain.stderr, ran.stderr)}`);
    if (ran.status !== plain.status || ran.signal !== plain.signal)
      troubles.push(`it ended with ${ran.signal ?? ran.status}, plain with ${plain.signal ?? plain.status}`);
    if (ran.files !== plain.files) troubles.push(`files: ${ran.files} moved, ${plain.files} plain`);
    // On the way to another node it may come home for what it says it comes home for.
    const refused =
      behaviour.home.length > 0 ? [...behaviour.refused, 'it came home meanwhile', 'it is at home again'] : behaviour.refused;
    const unexpected = ran.failures.find(({ message }) => !refused.some((text) => message.includes(text)));
    if (unexpected) troubles.push(`a move failed at "${unexpected.point}": ${unexpected.code}: ${unexpected.message}`);
    const least = behaviour.refused.length > 0 ? 0 : Math.max(1, Math.floor(ran.points / 2));
    if (mode === 'before' && !ran.late && ran.moves < least) troubles.push(`only ${ran.moves} moves at ${ran.points} points`);
    return troubles;
  }
}

const found = (need: string): boolean =>
  need.startsWith('/')
    ? existsSync(need)
    : (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(path.join(directory, need)));
