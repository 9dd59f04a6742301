/** The programs that are moved about, what they need, and how they are made. Each runs for some seconds and says the same on every run. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from './testbed.js';

const sources = path.join(repository, 'test/programs');
const built = path.join(repository, 'build/programs');
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
    if (fresh(product(to), source(from))) return;
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
  writeFileSync(
    `${file}.new`,
    Buffer.concat(
      Array.from({ length: 25 }, (_, turn) => Buffer.concat([Buffer.from(`part ${turn}\n`), block])),
      200_000_000,
    ),
  );
  renameSync(`${file}.new`, file);
}

function makeGenerated(): void {
  if (fresh(product('generated.c'), source('generate-c.mjs'))) return;
  mkdirSync(built, { recursive: true });
  const { stdout } = spawnSync(process.execPath, [source('generate-c.mjs'), '300'], { encoding: 'utf8', maxBuffer: 1 << 26 });
  writeFileSync(product('generated.c'), stdout);
}

/** Copies what lies in build/programs into the working directory first: the programs then name files as a user would. */
const shell = (text: string, ...words: string[]) => ['sh', '-c', text, 'sh', ...words];

export const python: Program = {
  name: 'python3 computing with files',
  needs: ['python3'],
  command: ['python3', source('files.py'), '.', '1300'],
  computes: true,
  away: [0.7, 1.1],
};

export const firstThread: Program = {
  name: 'a C program whose first thread has ended',
  needs: ['gcc'],
  make: compile('first-thread.c', 'first-thread', (to) => ['gcc', '-O2', source('first-thread.c'), '-o', to, '-pthread']),
  command: [product('first-thread'), '150'],
  computes: false,
  away: [0.1, 0.4],
};

export const programs: Program[] = [
  python,
  {
    name: 'python3 with subprocess and threading',
    needs: ['python3'],
    command: ['python3', source('subprocesses.py'), '100'],
    computes: false,
  },
  {
    name: 'python3 importing modules written in C',
    needs: ['python3'],
    command: ['python3', source('imports.py'), '2000000'],
    computes: true,
  },
  {
    name: 'gzip of 200 MB',
    needs: ['gzip'],
    make: makeInput,
    command: shell('exec gzip -c < "$1" > out.gz', product('input')),
    computes: true,
    away: [0.4, 0.75],
  },
  {
    name: 'sha256sum of 200 MB',
    needs: ['sha256sum'],
    make: makeInput,
    command: ['sha256sum', ...Array.from({ length: 12 }, () => product('input'))],
    computes: true,
    away: [0.7, 1.1],
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
    command: ['bash', source('script.sh'), '.', '12'],
    computes: false,
  },
  {
    name: 'gcc compiling a C file',
    needs: ['gcc'],
    make: makeGenerated,
    command: shell('cp "$1" generated.c && gcc -O2 -c generated.c -o generated.o', product('generated.c')),
    computes: false,
  },
  {
    name: 'node with timers, workers and streams',
    needs: ['node'],
    command: ['node', source('streams.mjs'), '.', '80'],
    computes: false,
  },
  { name: 'perl', needs: ['perl'], command: ['perl', source('loops.pl'), '.', '2000'], computes: true },
  {
    name: 'a static C program',
    needs: ['gcc'],
    make: compile('primes.c', 'primes', (to) => ['gcc', '-O2', '-static', source('primes.c'), '-o', to, '-lm']),
    command: [product('primes'), '.', '1900'],
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
    command: [product('exceptions'), '.', '4200'],
    computes: true,
  },
  {
    name: 'a Go program',
    needs: ['go'],
    make: compile('goroutines.go', 'goroutines', (to) => ['go', 'build', '-o', to, source('goroutines.go')]),
    command: [product('goroutines'), '.', '240'],
    computes: false,
  },
  {
    name: 'a Rust program',
    needs: ['rustc'],
    make: compile('ownership.rs', 'ownership', (to) => ['rustc', '--edition', '2021', '-O', source('ownership.rs'), '-o', to]),
    command: [product('ownership'), '.', '2000'],
    computes: false,
  },
  {
    name: 'a JVM program with caught NullPointerExceptions',
    needs: ['java', 'javac'],
    make: compile('Garbage.java', 'Garbage.class', () => ['javac', '-d', built, source('Garbage.java')]),
    command: ['java', '-XX:+UseSerialGC', '-Xmx64m', '-XX:-UsePerfData', '-cp', built, 'Garbage', '.', '1200'],
    computes: false,
  },
  {
    name: 'a C program with eight threads',
    needs: ['gcc'],
    make: compile('threads.c', 'threads', (to) => ['gcc', '-O2', source('threads.c'), '-o', to, '-pthread']),
    command: [product('threads'), '1500'],
    computes: false,
  },
  firstThread,
];

/** Programs that go on until SIGTERM and then say whether all their results were equal. */
export const endlessPython: Program = {
  name: 'an endless python3 program',
  needs: ['python3'],
  command: ['python3', source('endless.py'), '.'],
  computes: true,
};
export const endlessThreads: Program = {
  name: 'an endless C program with eight threads',
  needs: ['gcc'],
  make: compile('threads.c', 'threads', (to) => ['gcc', '-O2', source('threads.c'), '-o', to, '-pthread']),
  command: [product('threads'), '0'],
  computes: false,
};
