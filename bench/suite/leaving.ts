/** A node sends its guests away: how fast, and how well it knows how long that takes. */
import type { OperationsDocument } from '../../lib/shared/documents.js';
import type { Benchmark } from '../benchmark.js';
import { type Judge, figure, turns } from '../figure.js';
import { program } from '../nodes.js';

const rate: Judge = { text: 'at least 0.95 of the bare network', holds: ({ ratio }) => ratio.median >= 0.95 };
const estimate: Judge = { text: 'within 0.2 of what it took', holds: ({ ratio }) => Math.abs(ratio.median - 1) <= 0.2 };
const guests = 40;
const megabytes = 64;

export const leaving: Benchmark = {
  name: 'leaving',
  title: `A node sends ${guests} guests of ${megabytes} MB home, over 1 Gbit/s`,
  testbed: ['--rate', '1gbit'],
  how:
    `\`mosctl expel\` on a node with ${guests} guests of ${megabytes} MB each, until the last is home: all that the moves have sent, by the time of the whole operation, against a plain ` +
    'send(2) of as many bytes over one TCP connection the same way, at the same limit. And what the node itself said when a quarter of the memory was gone of how long ' +
    'all would take, against how long it took.',
  async run(nodes, { rounds }) {
    const { testbed } = nodes;
    const command = ['mosrun', '-h', '-J', 'leaving', program('holding'), String(megabytes)];
    const all = Array.from({ length: guests }, () => testbed.start(1, command, { timeout: 3000 }));
    const wire = await nodes.wire(2);
    const listed = async () =>
      (await testbed.json<{ processes: { pid: number; where: string; memory_bytes: number }[] }>(1, 'mosps', '--json')).processes;
    for (const one of all) await one.says('ready', 60);
    const predictions: { measured: number; floor: number }[] = [];
    const leave = async (): Promise<{ bytes: number; seconds: number }> => {
      for (let again = 0; again < 3 && (await listed()).some(({ where }) => where === 'node1'); again++)
        await testbed.run(1, ['migrate', '-J', 'leaving', 'node2', '--wait'], { timeout: 120 });
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
      if (predicted !== null) predictions.push({ measured: predicted, floor: seconds });
      const histories = await Promise.all(
        (await listed()).map(({ pid }) =>
          testbed.json<{ history: { bytes: number | null }[] }>(1, 'mosps', '--history', String(pid), '--json'),
        ),
      );
      return { seconds, bytes: histories.reduce((sum, { history }) => sum + (history.at(-1)?.bytes ?? 0), 0) };
    };
    const taken = await turns(rounds(6), leave, async () => ({
      seconds: await wire.send(guests * megabytes * 2 ** 20),
      bytes: guests * megabytes * 2 ** 20,
    }));
    await testbed.run(1, ['moskillall', '-KILL', '-J', 'leaving']);
    await Promise.all(all.map(({ done }) => done));
    await wire.end();
    const pairs = taken.map(({ measured, floor }) => ({
      measured: measured.bytes / measured.seconds,
      floor: floor.bytes / floor.seconds,
    }));
    return [
      figure({ name: 'rate', measures: 'bytes by time', against: 'bare send', unit: 'B/s', aim: rate }, pairs),
      figure({ name: 'estimate', measures: 'foretold', against: 'taken', unit: 's', aim: estimate }, predictions),
    ];
  },
};
