/** What a system call costs that is carried out at home: against the bare round trip of its two messages. */
import { availableParallelism } from 'node:os';
import type { Benchmark } from '../benchmark.js';
import { type Judge, figure, turns } from '../figure.js';
import { program } from '../nodes.js';

/** sizeof(Request) and sizeof(Reply) of native/stub/wire.h. */
export const REQUEST = 120;
export const REPLY = 16;

const all = `0-${availableParallelism() - 1}`;
const placements = [
  { name: 'on two processors', home: '0', away: '1', judged: true },
  { name: 'on one processor', home: '0', away: '0', judged: true },
  // No fair comparison: the scheduler puts a pair on one processor or on two, as it was left by what ran before.
  { name: 'wherever the kernel puts them', home: all, away: all, judged: false },
];

const aim: Judge = {
  text: 'ratio at most 1.25, or at most 6 µs more',
  holds: ({ ratio, difference }) => ratio.median <= 1.25 || difference.median <= 6e-6,
};

export const nullCall: Benchmark = {
  name: 'null-call',
  title: 'A call that does nothing, carried out at home',
  how:
    `getppid(2) from a program that is away, in blocks of 1,000, against messages of ${REQUEST} and ${REPLY} bytes exchanged over a TCP ` +
    'connection between the same two nodes, with TCP_NODELAY, both sides blocking in recv(2) and placed on the same processors. Where the kernel may choose, it puts either pair now on one processor and ' +
    'now on two, with times that differ threefold: that line shows what to expect, and is no fair comparison.',
  async run(nodes, { rounds, times }) {
    const calls = await nodes.away(program('calls'));
    const wire = await nodes.wire(2);
    const figures = [];
    for (const { name, home, away, judged } of placements) {
      calls.pin(home);
      wire.server.pin(home);
      calls.pinGuest(away);
      wire.client.pin(away);
      const pairs = await turns(
        rounds(40),
        () => calls.order(`getppid ${times(1000)}`),
        () => wire.exchange(REQUEST, REPLY, times(1000)),
      );
      figures.push(
        figure({ name, measures: 'forwarded getppid', against: 'TCP round trip', unit: 's', ...(judged && { aim }) }, pairs),
      );
    }
    await calls.end();
    await wire.end();
    return figures;
  },
};
