/** How fast memory travels, against the bare network. */
import type { Benchmark } from '../benchmark.js';
import { type Figure, type Judge, figure, turns } from '../figure.js';
import { program } from '../nodes.js';
import type { Pair } from '../statistics.js';

const aim: Judge = { text: 'at least 0.85 of the bare network', holds: ({ ratio }) => ratio.median >= 0.85 };
const size = 512 * 2 ** 20;

export const memory: Benchmark = {
  name: 'memory',
  title: '512 MiB of random data',
  how:
    'A program that holds 512 MiB of random data is moved out and home: bytes sent by the time from the connection to the first instruction on the ' +
    'other side, most of it while the program runs, against a plain send(2) of 512 MiB of random data over one TCP connection between the same nodes, received ' +
    'into memory that was never touched, each end on a processor of its own. Home keeps nothing of it. A ratio above 1 means that this plain send is not the best that the network can do.',
  async run(nodes, { rounds }) {
    await nodes.configure(1, '[migration]\nkeep = false\n');
    const traveller = await nodes.atHome(program('computing'), String(size / 2 ** 20));
    const [outwards, homewards] = [await nodes.wire(1), await nodes.wire(2)];
    // Left alone, the scheduler likes to put both ends on one processor, where they cannot work at the same time.
    for (const { server, client } of [outwards, homewards]) {
      client.pin('0');
      server.pin('1');
    }
    const taken = await turns(
      rounds(12),
      async () => ({ out: await traveller.carry('node2'), home: await traveller.carry('home') }),
      async () => ({ out: size / (await outwards.send(size)), home: size / (await homewards.send(size)) }),
    );
    await traveller.end();
    await outwards.end();
    await homewards.end();
    const pairs = (way: 'out' | 'home') => taken.map(({ measured, floor }) => ({ measured: measured[way], floor: floor[way] }));
    return [
      figure({ name: 'out', measures: 'bytes by time', against: 'bare send', unit: 'B/s', aim }, pairs('out')),
      figure({ name: 'home', measures: 'bytes by time', against: 'bare send', unit: 'B/s', aim }, pairs('home')),
    ];
  },
};

const megabytes = 256;
const more: Judge = { text: 'more than the bare network', holds: ({ ratio }) => ratio.median > 1 };
const nearly: Judge = { text: 'at least 0.97 of the bare network', holds: ({ ratio }) => ratio.median >= 0.97 };

export const memoryOverGigabit: Benchmark = {
  name: 'memory-gigabit',
  title: `${megabytes} MiB over a link of 1 Gbit/s`,
  how:
    'Programs that hold random data, or random numbers of three digits as text, are moved out and home: their memory by the time from the connection to the first ' +
    'instruction on the other side, against a plain send(2) of as many bytes at the same limit. First with `[migration]` `compress` and `keep` off, then as they are by themselves.',
  testbed: ['--rate', '1gbit'],
  async run(nodes, { rounds }) {
    const bytes = megabytes * 2 ** 20;
    const wires = { out: await nodes.wire(1), home: await nodes.wire(2) };
    const ways = ['out', 'home'] as const;
    const taken = async (what: string, settings: string, ...words: string[]): Promise<[string, Pair[]][]> => {
      await nodes.configure(1, `[migration]\n${settings}`);
      const traveller = await nodes.atHome(program('holding'), `${megabytes}`, ...words);
      const all = await turns(
        rounds(6),
        async () => ({ out: bytes / (await traveller.carried('node2')), home: bytes / (await traveller.carried('home')) }),
        async () => ({ out: bytes / (await wires.out.send(bytes)), home: bytes / (await wires.home.send(bytes)) }),
      );
      await traveller.end();
      return ways.map((way) => [
        `${what}, ${way}`,
        all.map(({ measured, floor }) => ({ measured: measured[way], floor: floor[way] })),
      ]);
    };
    const plain = await taken('random, as it is', 'compress = false\nkeep = false\n');
    const usual = [...(await taken('random', '')), ...(await taken('text', '', 'text'))];
    for (const way of ways) await wires[way].end();
    const shown = (aim: (name: string) => Judge | undefined) => {
      return ([name, pairs]: [string, Pair[]]): Figure => {
        const judge = aim(name);
        return figure(
          { name, measures: 'memory by time', against: 'bare send', unit: 'B/s', ...(judge && { aim: judge }) },
          pairs,
        );
      };
    };
    return [...plain.map(shown(() => nearly)), ...usual.map(shown((name) => (name === 'random, out' ? undefined : more)))];
  },
};
