/** What processes cost that are away and do nothing. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.js';
import { type Judge, figure } from '../figure.js';
import { type Nodes, program } from '../nodes.js';
import { tryRead } from '../../test/system/testbed.js';

const many = 2000;
const seconds = 20;
const TICKS_PER_SECOND = 100;

/** @param most of the median, in the figure's unit, for a reader called `text`. */
const most = (bound: number, text: string): Judge => ({
  text: `at most ${text}`,
  holds: ({ measured }) => measured.median <= bound,
});

/** CPU time that programs have used, s: a field of /proc/PID/stat, counted from behind the name (proc_pid_stat(5)). */
function used(pid: number): number {
  const stat = tryRead(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const kilobytes = (file: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(tryRead(file))?.[1] ?? 0) * 1024;

const nameOf = (pid: number): string => tryRead(`/proc/${pid}/comm`).trim();

export const idle: Benchmark = {
  name: 'idle',
  title: `${many} idle processes away`,
  how:
    `${many} programs that wait for a signal are started at home and moved to the other node. Then, for ${seconds} s each: the processor time of each node's daemons, against ` +
    'that before there was any such program; their memory, against that before; and for each guest the memory (proportional set size) and the tasks of all there is of it on the ' +
    'hosting node, against those of the same program run plainly.',
  async run(nodes: Nodes, { rounds, times }) {
    const { testbed } = nodes;
    const count = times(many);
    const daemonsOf = async (node: number): Promise<number[]> =>
      (await testbed.helpers(node)).filter(
        (pid) => ['mosd', 'node', 'MainThread'].some((name) => nameOf(pid).startsWith(name)) || nameOf(pid) === 'mosgate',
      );
    const look = async (): Promise<{ cpu: number[]; memory: number[] }> => {
      const daemons = [await daemonsOf(1), await daemonsOf(2)];
      const sum = (pids: number[], of: (pid: number) => number): number => pids.reduce((total, pid) => total + of(pid), 0);
      const before = daemons.map((pids) => sum(pids, used));
      await sleep(seconds * 1000);
      return {
        cpu: daemons.map((pids, index) => sum(pids, used) - (before[index] ?? 0)),
        memory: daemons.map((pids) => sum(pids, (pid) => kilobytes(`/proc/${pid}/status`, 'VmRSS'))),
      };
    };
    const looks = async (): Promise<Awaited<ReturnType<typeof look>>[]> => {
      const all = [];
      for (let round = 0; round < rounds(5); round++) all.push(await look());
      return all;
    };
    await nodes.configure(2, `[hosting]\nmax_guests = ${2 * many}\n`);
    const empty = await looks();
    const plain = await nodes.plain(1, program('holding'), '0');
    const plainMemory = kilobytes(`/proc/${plain.process}/smaps_rollup`, 'Pss');
    const start = `for i in $(seq ${count}); do mosrun -h -J idle ${program('holding')} 0 > /dev/null & [ $((i % 32)) = 0 ] && sleep 0.5; done; wait`;
    const all = testbed.start(1, ['bash', '-c', start], { timeout: 3600 });
    try {
      const listed = async () =>
        (await testbed.json<{ processes: { where: string; command: string }[] }>(1, 'mosps', '--json')).processes.filter(
          ({ command }) => command.includes('holding'),
        );
      for (let tries = 600; tries > 0 && (await listed()).length < count; --tries) await sleep(1000);
      const { status, stderr } = await testbed.run(1, ['migrate', '-J', 'idle', 'node2', '--wait'], { timeout: 1800 });
      if (status !== 0) throw new Error(stderr.slice(0, 1000));
      const there = (await listed()).filter(({ where }) => where === 'node2').length;
      if (there !== count) throw new Error(`${there} of ${count} are away`);
      await sleep(30_000); // what the moves have left behind
      const full = await looks();
      const others = new Set(await testbed.helpers(2));
      const theirs = testbed.processes(2).filter((pid) => !others.has(pid));
      const memory = theirs.reduce((sum, pid) => sum + kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss'), 0) / count;
      const tasks =
        theirs.reduce(
          (sum, pid) => sum + Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
          0,
        ) / count;
      const pairs = (of: (one: Awaited<ReturnType<typeof look>>) => number) =>
        full.map((one, index) => ({ measured: of(one), floor: of(empty[index] ?? one) }));
      const where = ['at home', 'on the hosting node'];
      return [
        ...where.map((name, node) =>
          figure(
            {
              name: `daemons ${name}`,
              measures: `processor time in ${seconds} s`,
              against: 'without any',
              unit: 's',
              aim: most(seconds / 20, '5 % of a processor'),
            },
            pairs(({ cpu }) => cpu[node] ?? Number.NaN),
          ),
        ),
        ...where.map((name, node) =>
          figure(
            { name: `daemons ${name}`, measures: 'memory', against: 'without any', unit: 'B', aim: most(100e6, '100 MB') },
            pairs(({ memory: bytes }) => bytes[node] ?? Number.NaN),
          ),
        ),
        figure(
          {
            name: 'a guest',
            measures: 'memory on the hosting node',
            against: 'the program run plainly',
            unit: 'B',
            aim: most(1.5e6, '1.5 MB'),
          },
          [{ measured: memory, floor: plainMemory }],
        ),
        figure(
          {
            name: 'a guest',
            measures: 'tasks on the hosting node',
            against: 'the program run plainly',
            unit: '',
            aim: most(3, '3'),
          },
          [{ measured: tasks, floor: 1 }],
        ),
      ];
    } finally {
      await testbed.run(1, ['moskillall', '-KILL', '-J', 'idle'], { timeout: 300 });
      await all.done;
      await plain.end();
    }
  },
};
