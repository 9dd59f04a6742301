/** For how long a program stands still when it moves, by its size and by how fast it changes its memory. */
import type { Line, Plot } from '../../simulate/svg.js';
import type { Benchmark } from '../benchmark.js';
import { type Figure, type Judge, figure, turns } from '../figure.js';
import { type Nodes, program } from '../nodes.js';

/** MiB, MiB changed a second, rounds, and the longest freeze that is wanted, ms; 0: it is only shown. */
const cases: [number, number, number, number][] = [
  [2, 10, 20, 4],
  [64, 10, 10, 0],
  [512, 0, 20, 8],
  [512, 10, 20, 8],
  [512, 100, 20, 25],
  [512, 200, 10, 0],
  [4096, 10, 5, 15],
];
const ways = ['out', 'on', 'home'] as const;
const probe = 64 * 2 ** 20;

async function one(nodes: Nodes, [size, rate, turnsWanted, most]: [number, number, number, number]): Promise<Figure[]> {
  const traveller = await nodes.atHome(program('dirtying'), String(size), String(rate));
  const [outwards, homewards] = [await nodes.wire(1), await nodes.wire(2)];
  /** The longest time that it did not get to look at its clock, once its memory has been found to be right. */
  const longest = async (): Promise<number> => {
    process.kill(traveller.process, 'SIGUSR1');
    const [gap, wrong] = (await traveller.line(120)).split(' ').map(Number);
    if (wrong !== 0 || gap === undefined) throw new Error(`${wrong} pages are not as the program wrote them`);
    return gap;
  };
  const move = async (to: 'node2' | 'node3' | 'home') => {
    await longest();
    const { freeze_seconds: frozen } = await traveller.migrate(to);
    return { frozen, gap: await longest() };
  };
  const stay = async (): Promise<number> => {
    await longest();
    await nodes.testbed.json(1, 'mosps', '--json');
    return longest();
  };
  const whole = async (wire: typeof outwards) => ((await wire.send(probe)) * size * 2 ** 20) / probe;
  const taken = await turns(
    turnsWanted,
    async () => ({ out: await move('node2'), on: await move('node3'), home: await move('home') }),
    async () => {
      const out = await whole(outwards);
      return { out, on: out, home: await whole(homewards), gap: await stay() };
    },
  );
  await traveller.end();
  await outwards.end();
  await homewards.end();
  const atMost = (ms: number): { aim?: Judge } =>
    most > 0 ? { aim: { text: `at most ${ms} ms`, holds: ({ measured }) => measured.median <= ms / 1000 } } : {};
  return ways.flatMap((way) => {
    const name = `${size} MiB, ${rate} MiB/s, ${way}`;
    const frozen = taken.map(({ measured, floor }) => ({ measured: measured[way].frozen, floor: floor[way] }));
    const seen = taken.map(({ measured, floor }) => ({ measured: measured[way].gap, floor: floor.gap }));
    return [
      figure({ name, measures: 'freeze', against: 'a bare send of all of it', unit: 's', ...atMost(most) }, frozen),
      figure(
        {
          name: `${name}, as seen`,
          measures: 'longest gap',
          against: 'that without a move',
          unit: 's',
          ...atMost(3 * most + 10),
        },
        seen,
      ),
    ];
  });
}

/** The same of one whose memory goes while it stands still. */
async function stopped(nodes: Nodes, size: number, rate: number, rounds: number): Promise<Figure[]> {
  const traveller = await nodes.atHome(program('dirtying'), String(size), String(rate), program('dirtying'));
  const wire = await nodes.wire(1);
  const pairs = await turns(
    rounds,
    async () => {
      const { freeze_seconds: frozen } = await traveller.migrate('node2');
      await traveller.migrate('home');
      return frozen;
    },
    async () => ((await wire.send(probe)) * size * 2 ** 20) / probe,
  );
  await traveller.end();
  await wire.end();
  return [
    figure(
      {
        name: `${size} MiB, ${rate} MiB/s, out, stopped first`,
        measures: 'freeze',
        against: 'a bare send of all of it',
        unit: 's',
      },
      pairs,
    ),
  ];
}

const inWords = { out: 'out', on: 'on to another node', home: 'home' } as const;

/** Medians in ms, against one of the two that a program is made of: MiB, and MiB changed a second. */
function lines(figures: readonly Figure[], along: (size: number, rate: number) => number | undefined): Line[] {
  const points = (value: (figure: Figure) => number, wanted: string) =>
    figures.flatMap((figure) => {
      const [, size, rate, way] = /^(\d+) MiB, (\d+) MiB\/s, (.+)$/.exec(figure.name) ?? [];
      const x = along(Number(size), Number(rate));
      return way === wanted && x !== undefined ? [[x, value(figure) * 1000] as const] : [];
    });
  return [
    ...ways.map((way) => ({ label: `frozen, ${inWords[way]}`, points: points(({ measured }) => measured.median, way) })),
    { label: 'stopped first', points: points(({ measured }) => measured.median, 'out, stopped first') },
    { label: 'a bare send of all of it', dashed: true, points: points(({ floor }) => floor.median, 'out') },
  ];
}

const plots = (figures: readonly Figure[]): Plot[] => [
  {
    title: 'The freeze of programs that change 10 MiB a second',
    x: { label: 'memory of the program, MiB', log: true },
    y: { label: 'freeze, ms', log: true },
    lines: lines(figures, (size, rate) => (rate === 10 ? size : undefined)),
  },
  {
    title: 'The freeze of programs of 512 MiB',
    x: { label: 'memory changed a second, MiB' },
    y: { label: 'freeze, ms', log: true },
    lines: lines(figures, (size, rate) => (size === 512 ? rate : undefined)),
  },
];

export const live: Benchmark = {
  name: 'live',
  title: 'The freeze, by size and by how fast the memory changes',
  how:
    'A program that changes its memory at a steady rate, page by page, here and there, is moved out, on to a third node, and home; after each move it looks at all of it. ' +
    '`freeze_seconds` of `migrate --wait --json`, against the time that a bare send of all of its memory takes between the same nodes, which is what the ' +
    'freeze could be at best were nothing sent ahead (on the way on: that of the way out), and beside what it is for a program that is stopped first, and then copied (it has a file open with O_DIRECT); and the longest gap that the program saw in its own clock, against the longest while `mosps` is run and nothing moves.',
  nodes: 3,
  plots,
  async run(nodes, { rounds }) {
    const figures: Figure[] = [];
    for (const [size, rate, turnsWanted, most] of cases)
      figures.push(...(await one(nodes, [size, rate, rounds(turnsWanted), most])));
    for (const size of new Set(cases.map(([one]) => one))) figures.push(...(await stopped(nodes, size, 10, rounds(4))));
    return figures;
  },
};
