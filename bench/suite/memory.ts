/** How fast memory travels, against the bare network. */
import type { Benchmark } from '../benchmark.js';
import { type Judge, figure, turns } from '../figure.js';
import { program } from '../nodes.js';

const aim: Judge = { text: 'at least 0.85 of the bare network', holds: ({ ratio }) => ratio.median >= 0.85 };
const size = 512 * 2 ** 20;

export const memory: Benchmark = {
  name: 'memory',
  title: '512 MiB of random data',
  how:
    'A program that holds 512 MiB of random data is moved out and home: bytes sent by the time from the connection to the first instruction on the ' +
    'other side, most of it while the program runs, against a plain send(2) of 512 MiB of random data over one TCP connection between the same nodes, received ' +
    'into memory that was never touched, each end on a processor of its own. A ratio above 1 means that this plain send is not the best that the network can do.',
  async run(nodes, { rounds }) {
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
