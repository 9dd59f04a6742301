/** A node sends its guests away: how fast, and how well it knows how long that takes. */
import type { OperationsDocument } from '../../lib/shared/documents.js';
import type { Benchmark } from '../benchmark.js';
import { type Figure, type Judge, figure, turns } from '../figure.js';
import { type Nodes, program } from '../nodes.js';
import type { Pair } from '../statistics.js';

const atLeast = (share: number): Judge => ({
  text: `at least ${share} of the bare network`,
  holds: ({ ratio }) => ratio.median >= share,
});
const estimate: Judge = { text: 'within 0.2 of what it took', holds: ({ ratio }) => Math.abs(ratio.median - 1) <= 0.2 };

const how =
  'until the last is home: all that the moves have sent, by the time of the whole operation, against a plain ' +
  'send(2) of as many bytes over one TCP connection the same way, at the same limit. Nothing is compressed, and home keeps nothing.';

/** Bytes a second of guests that leave all at once, beside the bare network's; and what was foretold of it, s, beside what it took. */
async function leave(
  nodes: Nodes,
  guests: number,
  megabytes: number,
  rounds: number,
): Promise<{ rates: Pair[]; foretold: Pair[] }> {
  const { testbed } = nodes;
  await nodes.configure(1, '[migration]\ncompress = false\nkeep = false\n');
  const command = ['mosrun', '-h', '-J', 'leaving', program('holding'), String(megabytes)];
  const all = Array.from({ length: guests }, () => testbed.start(1, command, { timeout: 3000 }));
  const wire = await nodes.wire(2);
  const bytes = guests * megabytes * 2 ** 20;
  const listed = async () =>
    (await testbed.json<{ processes: { pid: number; where: string; memory_bytes: number }[] }>(1, 'mosps', '--json')).processes;
  for (const one of all) await one.says('ready', 60);
  const foretold: Pair[] = [];
  const moves = async (): Promise<{ bytes: number; seconds: number }> => {
    for (let again = 0; again < 3 && (await listed()).some(({ where }) => where === 'node1'); again++)
      await testbed.run(1, ['migrate', '-J', 'leaving', 'node2', '--wait'], { timeout: 300 });
    const left = (await listed()).filter(({ where }) => where === 'node1').length;
    if (left > 0) throw new Error(`${left} did not go to node2`);
    const expel = testbed.start(2, ['mosctl', 'expel', '--json'], { timeout: 300 });
    let predicted: number | null = null;
    while (!expel.ended) {
      const { operations } = await testbed.json<OperationsDocument>(2, 'mosctl', 'status', '--json');
      const found = operations.find(({ operation, state }) => operation === 'expel' && state === 'running');
      if (found && predicted === null && found.bytes_left < 0.75 * found.bytes && found.seconds_left !== null)
        predicted = Date.now() / 1000 - found.began + found.seconds_left;
    }
    const { status, stdout, stderr } = await expel.done;
    if (status !== 0) throw new Error(stderr);
    const { seconds } = JSON.parse(stdout) as { seconds: number };
    if (predicted !== null) foretold.push({ measured: predicted, floor: seconds });
    const histories = await Promise.all(
      (await listed()).map(({ pid }) =>
        testbed.json<{ history: { bytes: number | null }[] }>(1, 'mosps', '--history', String(pid), '--json'),
      ),
    );
    return { seconds, bytes: histories.reduce((sum, { history }) => sum + (history.at(-1)?.bytes ?? 0), 0) };
  };
  const taken = await turns(rounds, moves, async () => ({ seconds: await wire.send(bytes), bytes }));
  await testbed.run(1, ['moskillall', '-KILL', '-J', 'leaving']);
  await Promise.all(all.map(({ done }) => done));
  await wire.end();
  const rates = taken.map(({ measured, floor }) => ({
    measured: measured.bytes / measured.seconds,
    floor: floor.bytes / floor.seconds,
  }));
  return { rates, foretold };
}

const rateOf = (name: string, pairs: Pair[], aim: Judge): Figure =>
  figure({ name, measures: 'bytes by time', against: 'bare send', unit: 'B/s', aim }, pairs);

const guests = 40;
const megabytes = 64;

export const leaving: Benchmark = {
  name: 'leaving',
  title: `A node sends ${guests} guests of ${megabytes} MB home, over 1 Gbit/s`,
  testbed: ['--rate', '1gbit'],
  how:
    `\`mosctl expel\` on a node with ${guests} guests of ${megabytes} MB each, ${how} And what the node itself said when a quarter of the memory was gone of how long ` +
    'all would take, against how long it took.',
  async run(nodes, { rounds }) {
    const { rates, foretold } = await leave(nodes, guests, megabytes, rounds(6));
    return [
      rateOf('rate', rates, atLeast(0.95)),
      figure({ name: 'estimate', measures: 'foretold', against: 'taken', unit: 's', aim: estimate }, foretold),
    ];
  },
};

const sizes = [256, 512, 1024];
const inAll = 3072;

export const leavingLarge: Benchmark = {
  name: 'leaving-large',
  title: 'A node sends few guests of more memory home, over 1 Gbit/s',
  testbed: ['--rate', '1gbit'],
  how:
    `\`mosctl expel\` on a node with guests of ${sizes.map((size) => size.toLocaleString('en')).join(', ')} MB each, ${(inAll / 1024).toFixed(0)} GiB of random data in all, ${how} ` +
    'Table II of the white paper of Barak and Shiloh on MOSIX measures such guests.',
  async run(nodes, { rounds, times }) {
    const figures: Figure[] = [];
    for (const size of sizes) {
      const count = times(inAll / size);
      const { rates } = await leave(nodes, count, size, rounds(6));
      figures.push(rateOf(`${count} of ${size.toLocaleString('en')} MB`, rates, atLeast(0.97)));
    }
    return figures;
  },
};
