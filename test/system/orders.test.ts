/** What root orders a node by mosctl, with programs that really move. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { NodeDocument, OperationDocument } from '../../lib/shared/documents.js';
import { arm } from './fault-points.js';
import { listed, pidOfJob } from './storm.js';
import { type Outcome, type Running, Testbed, sleep, tryRead, until, whyNoTestbed } from './testbed.js';

describe('orders to a node', { skip: whyNoTestbed() ?? false, timeout: 180_000 }, () => {
  let testbed: Testbed;
  const running: Running[] = [];

  before(async () => {
    testbed = await Testbed.up(2, '--cpus', '1');
  });
  after(async () => {
    for (const one of running) one.kill('SIGKILL');
    await testbed?.down();
  });

  const order = (node: number, ...words: string[]): Promise<Outcome> => testbed.run(node, ['mosctl', ...words]);
  async function done(node: number, ...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await order(node, ...words);
    assert.equal(status, 0, `mosctl ${words.join(' ')}: ${stderr}`);
    return stdout;
  }
  async function start(job: string, ...command: string[]): Promise<number> {
    running.push(testbed.start(1, ['mosrun', '-J', job, ...command]));
    return pidOfJob(testbed, job);
  }
  const migrate = (pid: number, to: string): Promise<Outcome> => testbed.run(1, ['migrate', `${pid}`, to, '--wait']);
  /** One whose threads are found at a bad moment again and again is to be tried again, as the message says. */
  async function goAway(pid: number): Promise<void> {
    const moved = await until(
      async () => {
        const outcome = await migrate(pid, 'node2');
        return outcome.stderr.endsWith('try again\n') ? null : outcome;
      },
      20,
      `process ${pid} to be moved`,
    );
    assert.equal(moved.status, 0, moved.stderr);
  }
  const startDaemon = async (node: number): Promise<void> => {
    await testbed.control('start-daemon', `${node}`);
    await testbed.comes(node, 20);
  };
  const where = async (pid: number): Promise<string | undefined> => (await listed(testbed)).find((one) => one.pid === pid)?.where;
  const seen = async (name: string, from = 1): Promise<NodeDocument | undefined> =>
    (await (await testbed.daemon(from)).nodes()).find((one) => one.name === name);
  const operation = async (node: number, name: string): Promise<OperationDocument | undefined> =>
    (await (await testbed.daemon(node)).operations()).find((one) => one.operation === name);

  void test('orders are for root: 77', async () => {
    for (const verb of ['block', 'noblock', 'stay', 'nostay', 'lstay', 'nolstay', 'expel', 'bring', 'shutdown']) {
      const { status, stdout, stderr } = await testbed.run(2, ['mosctl', verb], { user: 'nobody' });
      assert.deepEqual([status, stdout], [77, ''], verb);
      assert.match(stderr, /^mosrun: uid \d+ may only look: ask as root\n$/);
    }
  });

  void test('a blocked node takes no guests, also when its daemon has been started again', async () => {
    const pid = await start('block', 'sleep', '1000');
    await goAway(pid);
    await done(2, 'block');
    await done(2, 'block');
    await until(async () => (await seen('node2'))?.state === 'blocked', 10, 'node1 to see that node2 is blocked');
    assert.equal(await where(pid), 'node2', 'who is there stays');
    await testbed.control('kill-daemon', '2');
    await startDaemon(2);
    await until(async () => (await seen('node2'))?.state === 'blocked', 10, 'node2 to be blocked still');
    assert.match(await done(2, 'status'), /\nblocked +takes no guests/);
    const other = await start('refused', 'sleep', '1000');
    const refused = await migrate(other, 'node2');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /node2 does not take process \d+: it is blocked for guests/);
    assert.match(
      (await testbed.run(1, ['mosrun', '--explain', 'sleep'])).stdout,
      /\nnode2 would not take it: it is blocked for guests/,
    );
    await done(2, 'noblock');
    await goAway(other);
    assert.match((await testbed.run(1, ['mosrun', '--explain', 'sleep'])).stdout, /\nit could move\n.*\nnode2 would take it\n$/);
  });

  void test('own processes of a node that says so do not leave by themselves', async () => {
    const best = async (): Promise<string> => {
      const command = ['mosrun', '-b', '--explain', '--json', 'sleep'];
      return (await testbed.json<{ start: { node: string } }>(1, ...command)).start.node;
    };
    const pid = await start('stay', 'mostestload', '--cpu', '0', '--threads', '2');
    await until(async () => (await best()) === 'node2', 20, 'node2 to be the best node');
    for (const [verb, undo] of [
      ['lstay', 'nolstay'],
      ['stay', 'nostay'],
    ] as const) {
      await done(1, verb);
      assert.equal(await best(), 'node1');
      assert.match((await listed(testbed)).find((one) => one.pid === pid)?.why ?? '', /stay/);
      await done(1, undo);
      assert.equal((await listed(testbed)).find((one) => one.pid === pid)?.why, null);
    }
    assert.equal((await testbed.run(1, ['moskillall', '-KILL', '-J', 'stay'])).status, 0);
  });

  void test('expel sends all guests home; bring does it from home', async () => {
    const load = await start('load', 'mostestload', '--cpu', '0', '--threads', '3', '--memory', '8M');
    await goAway(load);
    const before = await testbed.json<{ guests: object[] }>(2, 'mosps', '--json');
    const text = await done(2, 'expel');
    assert.match(
      text,
      new RegExp(`^expel: ${before.guests.length} of ${before.guests.length} processes have left, in [\\d.]+ m?s\\n$`),
    );
    for (const one of await listed(testbed)) assert.equal(one.where, 'node1');
    const { stdout } = await testbed.run(1, ['mosps', '--history', `${load}`]);
    assert.match(stdout, /sent home by node2/);
    assert.match(await done(2, 'expel'), /nothing to move/);
    const all = (await listed(testbed)).map(({ pid }) => pid);
    for (const pid of all) await goAway(pid);
    const { total, left } = JSON.parse(await done(1, 'bring', '--json')) as OperationDocument;
    assert.deepEqual([total, left], [all.length, 0]);
    assert.match((await testbed.run(1, ['mosps', '--history', `${load}`])).stdout, /ordered by mosctl bring/);
    for (const one of await listed(testbed)) assert.equal(one.where, 'node1');
    assert.equal((await testbed.run(1, ['moskillall', '-KILL', '-J', 'load'])).status, 0);
  });

  void test('who is promised a place when the node is emptied comes, and is sent home; own ones that are leaving come back', async () => {
    for (const [node, verb] of [
      [2, 'expel'],
      [1, 'bring'],
    ] as const) {
      const pid = await start(`late-${verb}`, 'mostestload', '--cpu', '0', '--memory', '1M');
      await arm(testbed, 'stop_late');
      const leaving = migrate(pid, 'node2');
      await until(
        async () => (await listed(testbed)).find((one) => one.pid === pid)?.state === 'moving',
        5,
        'it to be on its way',
      );
      await done(node, verb);
      const { status, stderr } = await leaving;
      assert.equal(status, 0, stderr);
      assert.equal(await where(pid), 'node1', verb);
      assert.match(
        (await testbed.run(1, ['mosps', '--history', `${pid}`])).stdout,
        verb === 'expel' ? /sent home by node2/ : /mosctl bring/,
      );
      assert.equal((await testbed.run(1, ['moskillall', '-KILL', '-J', `late-${verb}`])).status, 0);
    }
  });

  void test('who stops waiting stops nothing, and who orders again joins', async () => {
    const pid = await start('wait', 'sleep', '1000');
    await goAway(pid);
    const { mosd_pid: mosd } = testbed.node(1);
    // A home that does not answer for a while.
    process.kill(mosd ?? 0, 'SIGSTOP');
    try {
      const first = testbed.start(2, ['mosctl', 'expel']);
      await until(async () => (await operation(2, 'expel'))?.state === 'running', 10, 'the operation to begin');
      const second = testbed.start(2, ['mosctl', 'expel']);
      await until(() => second.stderr.includes('under way already'), 10, 'the second to join');
      const refused = await order(2, 'status');
      assert.match(refused.stdout, /\nexpel +under way since .*: 0 of \d+ processes have left\n/);
      await sleep(0.2);
      first.kill('SIGINT');
      const stopped = await first.done;
      assert.deepEqual([stopped.status, stopped.stdout], [130, '']);
      assert.match(stopped.stderr, /^mosrun: not waiting any more: the node still sends its guests away: see mosctl status\n$/);
      process.kill(mosd ?? 0, 'SIGCONT');
      const { status, stdout, stderr } = await second.done;
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^expel: \d+ of \d+ processes have left/);
    } finally {
      process.kill(mosd ?? 0, 'SIGCONT');
    }
    assert.equal(await where(pid), 'node1');
  });

  void test('guests whose home cannot take them stay, and are named; the node does not shut down then', async () => {
    const pid = await start('orphan', 'sleep', '1000');
    await goAway(pid);
    await testbed.control('kill-daemon', '1');
    try {
      for (const verb of ['expel', 'shutdown']) {
        const { status, stdout, stderr } = await order(2, verb);
        assert.equal(status, 1, verb);
        assert.match(stdout, new RegExp(`^${verb}: 0 of 1 processes (have left|are home)`));
        assert.match(stderr, new RegExp(`^mosrun: process ${pid} of node1 \\(sleep 1000\\) stays: node1 .*cannot be reached`));
      }
      assert.match(await done(2, 'status'), /\nshutdown +failed/);
    } finally {
      await startDaemon(1);
    }
    await until(async () => (await seen('node2'))?.state === 'up', 10, 'node2 to be up');
    assert.equal(await where(pid), 'node2');
    await done(2, 'expel');
    assert.equal(await where(pid), 'node1');
  });

  void test('a node that is shut down sends everybody home, says goodbye and ends', async () => {
    const pid = await start('shutdown', 'sleep', '1000');
    await goAway(pid);
    running.push(testbed.start(2, ['mosrun', '-r', 'node1', 'mostestload', '--cpu', '0']));
    await until(
      async () => (await listed(testbed, 2)).some((one) => one.where === 'node1'),
      10,
      "node2's own process to be away",
    );
    assert.match(await done(2, 'shutdown'), /^shutdown: 2 of 2 processes have left or are home, in .*; the daemon has ended\n$/);
    assert.equal((await order(2, 'status')).status, 69, 'it has, and another could start');
    assert.equal(await where(pid), 'node1');
    const { why } = await until(
      async () => {
        const node = await seen('node2');
        return node?.state === 'down' ? node : null;
      },
      10,
      'node2 to be down',
    );
    assert.equal(why, 'it was shut down');
    const programs = () => testbed.processes(2).map((one) => tryRead(`/proc/${one}/comm`).trim());
    assert.ok(!programs().includes('mosgate'), programs().join(' '));
    await startDaemon(2);
    await until(async () => (await seen('node2'))?.state === 'up', 10, 'node2 to be back');
    await goAway(pid);
  });

  void test('whois tells nodes, processes and guests', async () => {
    const pid = await start('who', 'sleep', '1000');
    await goAway(pid);
    assert.match(await done(1, 'whois', 'node2'), /^node node2, number 2, 10\.77\.0\.2, up\n$/);
    assert.match(await done(1, 'whois', '10.77.0.2'), /^node node2/);
    assert.match(
      await done(1, 'whois', `${pid}`),
      new RegExp(`^process ${pid} of root, at home here on node1, now on node2: sleep 1000\\n$`),
    );
    assert.match(await done(2, 'whois', `${pid}`), new RegExp(`process ${pid} of node1, user 0 there: sleep 1000\\n`));
    const unknown = await order(1, 'whois', 'nobody-here');
    assert.deepEqual([unknown.status, unknown.stdout], [1, '']);
    assert.equal((await order(1, 'whois')).status, 2);
    assert.equal((await order(1, 'expel', 'more')).status, 2);
  });
});
