/** How fast a program that is away reads and writes what is at home. */
import { rmSync } from 'node:fs';
import type { Benchmark } from '../benchmark.js';
import { figure, turns } from '../figure.js';
import { program } from '../nodes.js';
import { REPLY, REQUEST } from './null-call.js';

const sizes = [4, 32, 64, 1024].map((kib) => ({ size: kib * 1024, label: kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB` }));
const file = `/tmp/mosrun-bench-${process.pid}`;

export const transfers: Benchmark = {
  name: 'transfers',
  title: 'read and write, carried out at home',
  how:
    'read(2) and write(2) of a program that is away, on a file at home (in the page cache) and through a pipe at home, about 8 MiB in each ' +
    'round, against requests and replies of the same sizes over a TCP connection between the same two nodes. Home on one processor, away on another.',
  async run(nodes, { rounds, times }) {
    const traveller = await nodes.away(program('transfers'), file);
    const wire = await nodes.wire(2);
    for (const home of [traveller, wire.server]) home.pin('0');
    traveller.pinGuest('1');
    wire.client.pin('1');
    const figures = [];
    try {
      for (const what of ['read', 'write']) {
        for (const where of ['file', 'pipe']) {
          for (const { size, label } of sizes) {
            const count = times(Math.max(8, Math.min(400, (8 << 20) / size)));
            const [request, reply] = what === 'read' ? [REQUEST, REPLY + size] : [REQUEST + size, REPLY];
            const pairs = await turns(
              rounds(20),
              () => traveller.order(`${what} ${where} ${size} ${count}`),
              () => wire.exchange(request, reply, count),
            );
            const name = `${what} ${label}, ${where}`;
            figures.push(figure({ name, measures: `${what}(2)`, against: 'TCP exchange', unit: 's', bytes: size }, pairs));
          }
        }
      }
    } finally {
      rmSync(file, { force: true });
    }
    await traveller.end();
    await wire.end();
    return figures;
  },
};
