/** For how long a small program stands still when it moves. */
import type { Benchmark } from '../benchmark.js';
import { type Judge, figure, turns } from '../figure.js';
import { program } from '../nodes.js';

const aim: Judge = { text: 'at most 10 ms', holds: ({ measured }) => measured.median <= 0.01 };

export const freeze: Benchmark = {
  name: 'freeze',
  title: 'The freeze of a program of 2 MB',
  how:
    'A dynamically linked C program that computes is moved out and home. `freeze_seconds` of `migrate --wait --json`, against sending as ' +
    'many bytes over the bare network into memory that was never touched; and the longest gap that the program saw in its own clock ' +
    'meanwhile, against the longest while `mosps` is run and nothing moves, for the commands take processor time from it too.',
  async run(nodes, { rounds }) {
    const traveller = await nodes.atHome(program('computing'), '1');
    const [outwards, homewards] = [await nodes.wire(1), await nodes.wire(2)];
    const longest = async (): Promise<number> => {
      process.kill(traveller.process, 'SIGUSR1');
      return Number(await traveller.line());
    };
    const move = async (to: 'node2' | 'home') => {
      await longest(); // what went before
      const { freeze_seconds: seconds, bytes } = await traveller.migrate(to);
      return { seconds, bytes, gap: await longest() };
    };
    const stay = async (): Promise<number> => {
      await longest();
      await nodes.testbed.json(1, 'mosps', '--json');
      return longest();
    };
    const sizes = { out: (await move('node2')).bytes, home: (await move('home')).bytes };
    const taken = await turns(
      rounds(30),
      async () => ({ out: await move('node2'), home: await move('home') }),
      async () => ({ out: await outwards.send(sizes.out), home: await homewards.send(sizes.home), gap: await stay() }),
    );
    await traveller.end();
    await outwards.end();
    await homewards.end();
    return (['out', 'home'] as const).flatMap((way) => {
      const against = `bare send of ${(sizes[way] / 2 ** 20).toFixed(1)} MiB`;
      const frozen = taken.map(({ measured, floor }) => ({ measured: measured[way].seconds, floor: floor[way] }));
      const seen = taken.map(({ measured, floor }) => ({ measured: measured[way].gap, floor: floor.gap }));
      return [
        figure({ name: `${way}, as mosrun says`, measures: 'freeze', against, unit: 's', aim }, frozen),
        figure(
          {
            name: `${way}, as the program sees it`,
            measures: 'longest gap',
            against: 'that without a move',
            unit: 's',
            aim,
          },
          seen,
        ),
      ];
    });
  },
};
