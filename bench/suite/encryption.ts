/** What it costs to encrypt: the null call and the transfer of memory, with and without, in turns. */
import type { Benchmark } from '../benchmark.js';
import { figure, turns } from '../figure.js';
import { program } from '../nodes.js';
import { REPLY, REQUEST } from './null-call.js';

const size = 512 * 2 ** 20;

export const encryption: Benchmark = {
  name: 'encryption',
  title: 'Encryption',
  how:
    'getppid(2) from two programs that are away, one of them encrypted, in blocks of 1,000, against messages of the same sizes over a TCP connection between the same ' +
    'two nodes; all that is at home, mosseal too, on one processor, all else on another. And a program that holds 512 MiB of random data, moved out and home encrypted, against the same moves in the clear: ' +
    'bytes by time; both mosseals and both ends share the two processors.',
  async run(nodes, { rounds, times }) {
    await nodes.configure(1, '[migration]\nkeep = false\n');
    const clear = await nodes.away(program('calls'));
    await nodes.encrypt(true);
    const sealed = await nodes.away(program('calls'));
    const wire = await nodes.wire(2);
    for (const home of [clear, sealed, wire.server]) home.pin('0');
    for (const away of [clear, sealed]) away.pinGuest('1');
    wire.client.pin('1');
    await nodes.pinSeals('0', '1');
    const calls = await turns(
      rounds(40),
      async () => ({ sealed: await sealed.order(`getppid ${times(1000)}`), clear: await clear.order(`getppid ${times(1000)}`) }),
      () => wire.exchange(REQUEST, REPLY, times(1000)),
    );
    for (const one of [clear, sealed, wire]) await one.end();

    await nodes.pinSeals('0-1', '0-1');
    const traveller = await nodes.atHome(program('computing'), String(size / 2 ** 20));
    const journey = async (encrypted: boolean) => {
      await nodes.encrypt(encrypted);
      return { out: await traveller.carry('node2'), home: await traveller.carry('home') };
    };
    const moves = await turns(
      rounds(12),
      () => journey(true),
      () => journey(false),
    );
    await traveller.end();

    const call = { unit: 's', against: 'TCP round trip' } as const;
    const way = (name: 'out' | 'home') =>
      figure(
        { name: `512 MiB ${name}`, measures: 'bytes by time, encrypted', against: 'the same in the clear', unit: 'B/s' },
        moves.map(({ measured, floor }) => ({ measured: measured[name], floor: floor[name] })),
      );
    return [
      figure(
        { ...call, name: 'null call, encrypted', measures: 'forwarded getppid' },
        calls.map(({ measured, floor }) => ({ measured: measured.sealed, floor })),
      ),
      figure(
        { ...call, name: 'null call, in the clear', measures: 'forwarded getppid' },
        calls.map(({ measured, floor }) => ({ measured: measured.clear, floor })),
      ),
      figure(
        {
          ...call,
          name: 'null call, encrypted against clear',
          measures: 'forwarded getppid, encrypted',
          against: 'the same in the clear',
        },
        calls.map(({ measured }) => ({ measured: measured.sealed, floor: measured.clear })),
      ),
      way('out'),
      way('home'),
    ];
  },
};
