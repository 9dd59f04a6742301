/** What it costs a program to run away, by how much input and output it has: table I of the white paper that bench/applications.ts names. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AwayRun, type Run, Runner } from '../application-run.js';
import { type Application, applications, whyNoApplications } from '../applications.js';
import type { Benchmark, Effort } from '../benchmark.js';
import { type Figure, type Judge, figure, turns } from '../figure.js';
import type { Nodes } from '../nodes.js';
import { type Pair, median } from '../statistics.js';

interface Round {
  measured: AwayRun;
  floor: Run;
}

const most = (share: number): Judge => ({
  text: `at most ${(share * 100).toFixed(1)} % more`,
  holds: ({ ratio }) => ratio.median <= 1 + share,
});

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const whole = (value: number): string => Math.round(value).toLocaleString('en');
const milliseconds = (seconds: number): string => `${(seconds * 1e3).toFixed(1)} ms`;

function facts({ name, besides }: Application, rounds: Round[]): string {
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  const returns = rounds.map(({ measured }) => measured.returns);
  const most = Math.max(...returns.map((each) => each.length));
  return [
    `${name}: it reads ${megabytes(middle(({ floor }) => floor.bytesRead))} and writes ${megabytes(middle(({ floor }) => floor.bytesWritten))} in ` +
      `${whole(middle(({ floor }) => floor.calls))} calls${besides ? `; ${besides}` : ''}.`,
    `Away ${whole(middle(({ measured }) => measured.forwarded))} requests went home, with ${megabytes(middle(({ measured }) => measured.carried))} both ways; ` +
      `it waited ${milliseconds(middle(({ measured }) => measured.waited))} for its calls, ` +
      `${milliseconds(middle(({ measured }) => measured.waitedAtFirst))} of them in its first two seconds.`,
    ...(most > 0
      ? [
          `In a run it was sent out again ${most === 1 ? 'once' : `up to ${most} times`}, having come home for ${[...new Set(returns.flat().filter(Boolean))].join(', ') || 'a call'}.`,
        ]
      : []),
    `The last look at its calls was at most ${milliseconds(Math.max(...rounds.map(({ measured }) => measured.unseen)))} before its end.`,
  ].join(' ');
}

async function rounds(nodes: Nodes, application: Application, effort: Effort): Promise<Round[]> {
  const directory = mkdtempSync('/tmp/mosrun-bench-');
  try {
    application.prepare(directory, effort);
    const runner = new Runner(nodes.testbed, application, directory);
    await runner.warm();
    const taken = await turns(
      effort.rounds(6),
      () => runner.away(),
      () => runner.plain(),
      { warm: true },
    );
    const results = new Set(taken.flatMap(({ measured, floor }) => [measured.result, floor.result]));
    if (results.size > 1) throw new Error(`${application.name} says something else where it runs away`);
    return taken;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The mean of all programs' ratios, round by round. */
function average(all: Pair[][]): Pair[] {
  const [first = []] = all;
  return first.map((_, round) => {
    const ratios = all.map((pairs) => (pairs[round]?.measured ?? Number.NaN) / (pairs[round]?.floor ?? Number.NaN));
    return { measured: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length, floor: 1 };
  });
}

async function measure(nodes: Nodes, effort: Effort, note: (text: string) => void, aim: Judge): Promise<Figure[]> {
  const clock: Pair[][] = [];
  const counted: Pair[][] = [];
  const figures: Figure[] = [];
  for (const application of applications) {
    const taken = await rounds(nodes, application, effort);
    const byClock = taken.map(({ measured, floor }) => ({ measured: measured.seconds, floor: floor.seconds }));
    const byCount = taken.map(({ measured: { seconds, waited } }) => ({ measured: seconds, floor: seconds - waited }));
    clock.push(byClock);
    counted.push(byCount);
    const { name } = application;
    figures.push(
      figure({ name, measures: 'time away', against: 'time at home, plain', unit: 's' }, byClock),
      figure(
        { name: `${name}, counted`, measures: 'time away', against: 'the same without waits for calls', unit: 's' },
        byCount,
      ),
    );
    note(facts(application, taken));
  }
  figures.push(
    figure({ name: 'average', measures: 'mean of the ratios by the clock', against: '1', unit: '' }, average(clock)),
    figure({ name: 'average, counted', measures: 'mean of the ratios by count', against: '1', unit: '', aim }, average(counted)),
  );
  return figures;
}

export const programs: Benchmark = {
  name: 'programs',
  title: 'Programs with more and more input and output, over 1 Gbit/s',
  how:
    'Four programs of Debian compute for about a minute each on one thread: a SAT solver (cadical), a comparison of a protein with a database of others (phmmer of hmmer), molecular ' +
    'dynamics that writes down where its atoms are (lammps), and a search in a nucleotide database (blastn of ncbi-blast+). They are started away by `mosrun -r`, and plainly on the ' +
    'same node, in turns; their results must be equal. Node 2 has had each before, for three seconds, and keeps what it keeps of system files. Their input and output are a tenth of those of the four programs of table I in the white paper of Barak and Shiloh on MOSIX ' +
    '(0, 9, 21 and 48 MB), which has 1.085 % on average. By the clock: run time away against run time at home, from the start to the end. By count (`mosps --calls`): run time away against the same without all the time ' +
    'between a call and its result, also what home would have needed for it too, so it is rather too much; but not what a call for something to come waited at home (poll and the like, of threads beside the one that computes). The moves themselves are in the first alone.',
  testbed: ['--rate', '1gbit'],
  whyNot: whyNoApplications,
  run: (nodes, effort, note) => measure(nodes, effort, note, most(0.005)),
};

export const programsFar: Benchmark = {
  name: 'programs-far',
  title: 'The same with a round trip that is 0.5 ms longer',
  how: 'As above; the paper has 1.3 % on average.',
  testbed: ['--rate', '1gbit', '--delay', '250us'],
  whyNot: whyNoApplications,
  run: (nodes, effort, note) => measure(nodes, effort, note, most(0.007)),
};
