/** The programs that are moved about, what they need, and how they are made. Each runs for some seconds and says the same on every run. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from './testbed.js';

const sources = path.join(repository, 'test/programs');
const built = path.join(repository, 'build/programs');
/** `npm test` moves each for a quarter of the time: a sample. With MOSRUN_TEST_STORM set, and in the torture, they have all of their work. */
export const isShort = process.env['MOSRUN_TEST_SHORT'] !== undefined;
/** Work of a program, in its own units. */
const work = (whole: number): string => String(isShort ? Math.ceil(whole / 4) : whole);

const source = (name: string) => path.join(sources, name);
const product = (name: string) => path.join(built, name);

export interface Program {
  name: string;
  /** Commands that must be there, or the program is skipped. */
  needs: string[];
  /** Makes what the program needs, if it is older than its source. */
  make?: () => void;
  /** The command, run in an empty directory. */
  command: string[];
  /** Whether most of its time is its own computing, so that the share spent away can be judged. */
  computes: boolean;
  /** How long it stays away each time, s; some tenths if not given, more where its computing is judged. */
  away?: [number, number];
  /** Why a move may be refused. */
  refused?: string;
  /** It opens what /proc shows of itself and differs away, and so comes home for it. */
  views?: boolean;
  /** Another node it goes on to. */
  on?: string;
}

const found = (command: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(path.join(directory, command)));

export const whySkipped = ({ needs }: Program): string | undefined => {
  const missing = needs.filter((command) => !found(command));
  return missing.length > 0 ? `${missing.join(', ')} not installed` : undefined;
};

const fresh = (to: string, from: string) => existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs;

function compile(from: string, to: string, command: (output: string) => string[]): () => void {
  return () => {
    if (fresh(product(to), path.resolve(sources, from))) return;
    mkdirSync(built, { recursive: true });
    const [compiler = '', ...words] = command(product(to));
    const { status, stderr } = spawnSync(compiler, words, {
      encoding: 'utf8',
      cwd: built,
      env: { ...process.env, GOCACHE: product('go-cache'), GOFLAGS: '-mod=mod' },
    });
    if (status !== 0) throw new Error(`${compiler} ${words.join(' ')}: ${stderr}`);
  };
}

/** 200 MB of words: compressible, and the same on every machine. */
function makeInput(): void {
  const file = product('input');
  if (existsSync(file)) return;
  mkdirSync(built, { recursive: true });
  let seed = 1;
  const next = () => (seed = (seed * 48271) % 2147483647);
  const words = Array.from(
    { length: 4096 },
    () =>
      `${next()
        .toString(36)
        .slice(0, 2 + (seed % 6))} `,
  );
  const parts: string[] = [];
  for (let size = 0; size < 8e6; size += parts.at(-1)?.length ?? 0) parts.push(words[next() % words.length] ?? '');
  const block = Buffer.from(parts.join('')).subarray(0, 8_000_000);
  // Two test files may make it at the same time, each in its own process.
  const made = `${file}.${process.pid}`;
  writeFileSync(
    made,
    Buffer.concat(
      Array.from({ length: 25 }, (_, turn) => Buffer.concat([Buffer.from(`part ${turn}\n`), block])),
      200_000_000,
    ),
  );
  renameSync(made, file);
}

const functions = work(200);
const generated = product(`generated-${functions}.c`);
function makeGenerated(): void {
  if (fresh(generated, source('generate-c.mjs'))) return;
  mkdirSync(built, { recursive: true });
  const words = [source('generate-c.mjs'), functions];
  const { stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 1 << 26 });
  writeFileSync(generated, stdout);
}

/** Copies what lies in build/programs into the working directory first: the programs then name files as a user would. */
const shell = (text: string, ...words: string[]) => ['sh', '-c', text, 'sh', ...words];

export const python: Program = {
  name: 'python3 computing with files',
  needs: ['python3'],
  command: ['python3', source('files.py'), '.', work(1100)],
  computes: true,
};

export const firstThread: Program = {
  name: 'a C program whose first thread has ended',
  needs: ['gcc'],
  make: compile('first-thread.c', 'first-thread', (to) => ['gcc', '-O2', source('first-thread.c'), '-o', to, '-pthread']),
  command: [product('first-thread'), '100'],
  computes: false,
  views: true,
  away: [0.1, 0.4],
};

export const waits: Program = {
  name: 'a C program that waits in every way',
  needs: ['gcc'],
  make: compile('waits.c', 'waits', (to) => [
    'gcc',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    source('waits.c'),
    '-o',
    to,
    '-pthread',
  ]),
  command: [product('waits')],
  computes: false,
  away: [0.1, 0.4],
};

export const rereads: Program = {
  name: 'a C program that reads a file again and again',
  needs: ['gcc'],
  make: compile('rereads.c', 'rereads', (to) => [
    'gcc',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    source('rereads.c'),
    '-o',
    to,
    '-pthread',
  ]),
  command: [product('rereads')],
  computes: false,
};

export const programs: Program[] = [
  python,
  {
    name: 'python3 with subprocess and threading',
    needs: ['python3'],
    command: ['python3', source('subprocesses.py'), work(100)],
    computes: false,
  },
  {
    name: 'python3 importing modules written in C',
    needs: ['python3'],
    command: ['python3', source('imports.py'), work(3_000_000)],
    computes: true,
  },
  {
    name: 'gzip of 200 MB',
    needs: ['gzip'],
    make: makeInput,
    command: shell(`head -c ${work(200_000_000)} "$1" > input; exec gzip -nc < input > out.gz`, product('input')),
    computes: true,
    away: [0.6, 1.1],
  },
  {
    name: 'sha256sum of 200 MB',
    needs: ['sha256sum'],
    make: makeInput,
    command: ['sha256sum', ...Array.from({ length: Number(work(16)) }, () => product('input'))],
    computes: true,
    away: [0.9, 1.3],
  },
  {
    name: 'sqlite3 with inserts and vacuum',
    needs: ['sqlite3'],
    command: ['sqlite3', 'data.db', `.read ${source('data.sql')}`],
    computes: false,
    away: [0.1, 0.3],
  },
  {
    name: 'bash with pipes, substitutions, traps and jobs',
    needs: ['bash'],
    command: ['bash', source('script.sh'), '.', '8'],
    computes: false,
  },
  {
    name: 'gcc compiling a C file',
    needs: ['gcc'],
    make: makeGenerated,
    command: shell('cp "$1" generated.c && gcc -O2 -c generated.c -o generated.o', generated),
    computes: false,
  },
  {
    name: 'node with timers, workers and streams',
    needs: ['node'],
    command: ['node', source('streams.mjs'), '.', work(80)],
    computes: false,
  },
  { name: 'perl', needs: ['perl'], command: ['perl', source('loops.pl'), '.', work(3200)], computes: true },
  {
    name: 'a static C program',
    needs: ['gcc'],
    make: compile('primes.c', 'primes', (to) => ['gcc', '-O2', '-static', source('primes.c'), '-o', to, '-lm']),
    command: [product('primes'), '.', work(2400)],
    computes: true,
  },
  {
    name: 'a C++ program with exceptions',
    needs: ['g++'],
    make: compile('exceptions.cc', 'exceptions', (to) => [
      'g++',
      '-std=c++20',
      '-O1',
      source('exceptions.cc'),
      '-o',
      to,
      '-pthread',
    ]),
    command: [product('exceptions'), '.', work(3400)],
    computes: true,
  },
  {
    name: 'a Go program',
    needs: ['go'],
    make: compile('goroutines.go', 'goroutines', (to) => ['go', 'build', '-o', to, source('goroutines.go')]),
    command: [product('goroutines'), '.', work(240)],
    computes: false,
  },
  {
    name: 'a Rust program',
    needs: ['rustc'],
    make: compile('ownership.rs', 'ownership', (to) => ['rustc', '--edition', '2021', '-O', source('ownership.rs'), '-o', to]),
    command: [product('ownership'), '.', work(1500)],
    computes: false,
  },
  {
    name: 'a JVM program with caught NullPointerExceptions',
    needs: ['java', 'javac'],
    make: compile('Garbage.java', 'Garbage.class', () => ['javac', '-d', built, source('Garbage.java')]),
    command: ['java', '-XX:+UseSerialGC', '-Xmx64m', '-XX:-UsePerfData', '-cp', built, 'Garbage', '.', work(700)],
    computes: false,
  },
  {
    name: 'a C program with eight threads',
    needs: ['gcc'],
    make: compile('threads.c', 'threads', (to) => ['gcc', '-O2', source('threads.c'), '-o', to, '-pthread']),
    command: [product('threads'), work(1500)],
    computes: false,
  },
  firstThread,
];

/** Ten moves a second, with those home. */
const quick: [number, number] = [0.05, 0.15];

export const stormed: Program[] = [
  {
    name: 'a Ruby program',
    needs: ['ruby'],
    command: ['ruby', source('objects.rb'), '.', work(240)],
    computes: false,
    away: quick,
  },
  {
    name: 'an Erlang program',
    needs: ['escript'],
    command: ['escript', source('ring.erl'), '.', work(240)],
    computes: false,
    away: quick,
  },
  {
    name: 'a static C program with musl',
    needs: ['musl-gcc'],
    make: compile('threads.c', 'threads-musl', (to) => ['musl-gcc', '-O2', '-static', source('threads.c'), '-o', to, '-pthread']),
    command: [product('threads-musl'), work(1000)],
    computes: false,
    away: quick,
  },
  {
    name: 'vim, less, python and a shell on terminals',
    needs: ['python3', 'vim', 'less', 'bash'],
    command: ['python3', source('sessions.py'), '.', '3'],
    refused: 'it is stopped',
    computes: false,
    away: quick,
  },
  {
    name: 'make with four jobs',
    needs: ['make', 'gcc'],
    command: ['sh', source('project.sh'), work(60)],
    computes: false,
    away: quick,
  },
  {
    name: 'a pipeline of five on three nodes',
    needs: ['sha256sum'],
    make: makeInput,
    command: shell(`head -c ${work(200_000_000)} "$1" | tr a-z A-Z | sed s/A/BB/g | grep -v XYZ | sha256sum`, product('input')),
    computes: false,
    away: quick,
    on: 'node3',
  },
  {
    name: 'tar, zstd and sha256sum',
    needs: ['tar', 'zstd', 'sha256sum'],
    make: makeInput,
    command: shell(
      `head -c ${work(200_000_000)} "$1" > input; tar --mtime=@0 -cf - input | zstd -q -3 -T2 | tee out.zst | sha256sum; zstd -qdc out.zst | tar -xO | sha256sum`,
      product('input'),
    ),
    computes: false,
    away: quick,
    on: 'node3',
  },
];

/** Programs that go on until SIGTERM and then say whether all their results were equal. Those that rest leave the machine to what they are tested with. */
const endless = (program: Omit<Program, 'computes'>, rests: boolean): Program => ({
  ...program,
  command: [...program.command, ...(rests ? ['0.02'] : [])],
  computes: !rests,
});
const pythonWithoutEnd = {
  name: 'an endless python3 program',
  needs: ['python3'],
  command: ['python3', source('endless.py'), '.'],
};
export const restingPython = endless(pythonWithoutEnd, true);
export const endlessPython = endless(pythonWithoutEnd, isShort);
export const endlessThreads = endless(
  {
    name: 'an endless C program with eight threads',
    needs: ['gcc'],
    make: compile('threads.c', 'threads', (to) => ['gcc', '-O2', source('threads.c'), '-o', to, '-pthread']),
    command: [product('threads'), '0'],
  },
  isShort,
);
export const diskSleep: Program = {
  name: 'a program with a thread in state D',
  needs: ['gcc'],
  make: compile('disk-sleep.c', 'disk-sleep', (to) => ['gcc', '-O2', source('disk-sleep.c'), '-o', to, '-pthread']),
  command: [product('disk-sleep')],
  computes: false,
};
/** A C program of one file, of the tests' or of the benchmarks'. */
export const compiled = (name: string, directory = 'test/programs'): Program => {
  const from = path.join(repository, directory, `${name}.c`);
  return {
    name,
    needs: ['gcc'],
    make: compile(from, name, (to) => ['gcc', '-O2', from, '-o', to, '-pthread']),
    command: [product(name)],
    computes: false,
  };
};
