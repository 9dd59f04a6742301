/** What a system call costs that does not leave the hosting node. */
import type { Benchmark } from '../benchmark.js';
import { type Description, figure, turns } from '../figure.js';
import { program } from '../nodes.js';

const aim: Description['aim'] = { text: 'at most 20 native null calls', holds: ({ ratio }) => ratio.median <= 20 };

const kinds = [
  { order: 'sigprocmask', name: 'rt_sigprocmask without a change', measures: 'answered by the stub', aim },
  { order: 'clock_gettime', name: 'clock_gettime(CLOCK_REALTIME) past the vdso', measures: 'answered by the stub', aim },
  { order: 'getpid', name: 'getpid', measures: 'native in the guest', aim: undefined },
];

export const localCalls: Benchmark = {
  name: 'local-calls',
  title: 'A call that is answered on the hosting node',
  how:
    'The call from a program that is away, against getppid(2) from the same program run plainly: the native null ' +
    'call. Both on the same processor, in blocks of 1 to 2 ms, which seldom lose it to others.',
  async run(nodes, { rounds, times }) {
    const away = await nodes.away(program('calls'));
    const plain = await nodes.plain(1, program('calls'));
    away.pinGuest('1');
    plain.pin('1');
    const figures = [];
    for (const { order, name, measures, aim: goal } of kinds) {
      const pairs = await turns(
        rounds(60),
        () => away.order(`${order} ${times(500)}`),
        () => plain.order(`getppid ${times(5000)}`),
      );
      figures.push(figure({ name, measures, against: 'native null call', unit: 's', ...(goal && { aim: goal }) }, pairs));
    }
    await away.end();
    await plain.end();
    return figures;
  },
};
