/** What a move costs, against how much of everything a program has. */
import type { Benchmark } from '../benchmark.js';
import { type Figure, figure, turns } from '../figure.js';
import { type Nodes, program } from '../nodes.js';

const cases: [string, number[]][] = [
  ['mappings', [10, 1000, 10_000, 60_000]],
  ['threads', [1, 10, 100, 500]],
  ['descriptors', [10, 1000, 10_000]],
];

async function one(nodes: Nodes, what: string, count: number, rounds: number): Promise<Figure[]> {
  const [least, large] = [
    await nodes.atHome(program('sized'), what, '0'),
    await nodes.atHome(program('sized'), what, String(count)),
  ];
  const moves = async (traveller: typeof least) => ({
    out: (await traveller.migrate('node2')).freeze_seconds,
    home: (await traveller.migrate('home')).freeze_seconds,
  });
  const taken = await turns(
    rounds,
    () => moves(large),
    () => moves(least),
  );
  await large.end();
  await least.end();
  return (['out', 'home'] as const).map((way) =>
    figure(
      {
        name: `${count.toLocaleString('en')} ${what}, ${way}`,
        measures: 'freeze',
        against: 'the same program without them',
        unit: 's',
      },
      taken.map(({ measured, floor }) => ({ measured: measured[way], floor: floor[way] })),
    ),
  );
}

export const size: Benchmark = {
  name: 'size',
  title: 'The freeze, by how much of everything a program has',
  how:
    'A static program that waits is moved out and home, with so many mappings of a page each that was never touched, threads that wait, or open descriptors more than it needs; ' +
    '`freeze_seconds` of `migrate --wait --json`, against the same program without them.',
  async run(nodes, { rounds }) {
    const figures: Figure[] = [];
    for (const [what, counts] of cases) for (const count of counts) figures.push(...(await one(nodes, what, count, rounds(10))));
    return figures;
  },
};
